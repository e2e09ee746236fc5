namespace space {
template <typename T> struct Box {
    T value;
    __attribute__((noinline)) T take(T other) { return value + other; }
};
static __attribute__((noinline)) long free_function(long n) { return n * 3; }
} // namespace space

volatile long seed = 1;

int main() {
    space::Box<long> box{seed};
    auto add = [](long n) __attribute__((noinline)) { return n + seed; };
    return static_cast<int>(box.take(seed) + space::free_function(seed) + add(seed));
}
