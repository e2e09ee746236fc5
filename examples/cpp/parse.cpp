// A parser of lines of numbers, in two steps, each a region of armprof.
#include <armprof.h>

#include <charconv>
#include <cstdio>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace {

const armprof_region splitting = armprof_region_define("split");
const armprof_region converting = armprof_region_define("convert");

std::vector<std::string_view> split(std::string_view line) {
    const armprof::scope scope{splitting};  // left however the function ends
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto end = line.find(',');
        words.push_back(line.substr(0, end));
        line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    }
    return words;
}

long convert(const std::vector<std::string_view> &words) {
    const armprof::scope scope{converting};
    return std::accumulate(words.begin(), words.end(), 0L, [](long sum, std::string_view word) {
        long number = 0;
        std::from_chars(word.data(), word.data() + word.size(), number);
        return sum + number;
    });
}

}  // namespace

int main() {
    std::string line;
    for (int i = 0; i < 100; i++) {
        line += std::to_string(i * 37) + ",";
    }
    long sum = 0;
    for (int round = 0; round < 2000; round++) {
        sum += convert(split(line));
    }
    std::printf("%ld\n", sum);
    return 0;
}
