"""What each errno of perf_event_open means to a user: a status, a reason and a remedy."""

from __future__ import annotations

import errno

import pytest

from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal, explain
from armprof.cpu import Host


def host(paranoid: int | None = 2, container: str = "", seccomp: bool | None = False, perfmon: bool = False) -> Host:
    return Host(
        arch="aarch64",
        kernel="6.8.0",
        cpus=4,
        model="",
        perf_event_paranoid=paranoid,
        container=container,
        seccomp=seccomp,
        perfmon=perfmon,
    )


REFUSED = [errno.EACCES, errno.EPERM]


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (errno.ENOENT, Status.UNSUPPORTED, "no such event"),
        (errno.ENODEV, Status.UNSUPPORTED, "no PMU"),
        (errno.EOPNOTSUPP, Status.UNSUPPORTED, "cannot count it"),
        (errno.EINVAL, Status.UNSUPPORTED, "settings"),
        (errno.EACCES, Status.NOT_PERMITTED, "perf_event_open"),
        (errno.EPERM, Status.NOT_PERMITTED, "perf_event_open"),
        (errno.ENOSYS, Status.NOT_PERMITTED, "CONFIG_PERF_EVENTS"),
        (errno.EMFILE, Status.NOT_COUNTED, "no file descriptor left in this process"),
        (errno.ENFILE, Status.NOT_COUNTED, "no file descriptor left on this machine"),
        (errno.EBUSY, Status.NOT_COUNTED, "exclusively"),
        (errno.ENOSPC, Status.NOT_COUNTED, "no counter left"),
        (errno.ENOMEM, Status.NOT_COUNTED, "no memory"),
        (errno.E2BIG, Status.NOT_COUNTED, "too many groups"),
        (errno.ESRCH, Status.NOT_COUNTED, "the process is gone"),
    ],
)
def test_every_errno_has_a_status_and_a_reason(error, status, says):
    refusal = explain(error, host())
    assert refusal.status is status
    assert says in refusal.reason


def test_an_errno_that_nobody_foresaw_is_told_in_the_kernels_words():
    refusal = explain(errno.EXDEV, host())
    assert refusal == Refusal(Status.NOT_COUNTED, "the kernel refused it: Invalid cross-device link")


@pytest.mark.parametrize("error", [*errno.errorcode])
@pytest.mark.parametrize("kernel", [False, True])
def test_every_refusal_is_one_line_that_ends_without_a_full_stop(error, kernel):
    text = str(explain(error, host(), kernel))
    assert "; " not in explain(error, host(), kernel).reason  # it ends where the remedy begins
    assert "\n" not in text
    assert not text.endswith(("; ", ".", " "))


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.E2BIG, errno.ENOSYS, errno.EPERM])
def test_what_the_user_can_change_has_a_remedy(error):
    assert explain(error, host()).remedy


@pytest.mark.parametrize("error", REFUSED)
@pytest.mark.parametrize("paranoid", [3, 4])
def test_a_paranoid_kernel_forbids_all_counting(error, paranoid):
    refusal = explain(error, host(paranoid))
    assert refusal.reason == f"kernel.perf_event_paranoid is {paranoid}, which forbids unprivileged users all counting"
    assert refusal.remedy.startswith("`sudo sysctl kernel.perf_event_paranoid=2`")


@pytest.mark.parametrize("error", REFUSED)
@pytest.mark.parametrize("paranoid", [2, 3, 4])
def test_kernel_mode_needs_a_level_less(error, paranoid):
    refusal = explain(error, host(paranoid), kernel=True)
    assert (
        refusal.reason
        == f"kernel.perf_event_paranoid is {paranoid}, which forbids unprivileged users counting in kernel mode"
    )
    assert "perf_event_paranoid=1`" in refusal.remedy


@pytest.mark.parametrize("error", REFUSED)
@pytest.mark.parametrize("paranoid", [1, 2, 4])
@pytest.mark.parametrize("kernel", [False, True])
def test_all_that_runs_on_a_cpu_is_counted_at_level_0_alone(error, paranoid, kernel):
    refusal = explain(error, host(paranoid), kernel, everyone=True)
    assert refusal.reason.startswith(
        f"kernel.perf_event_paranoid is {paranoid}, which forbids unprivileged users counting"
    )
    assert refusal.reason.endswith("all that runs on a CPU")
    assert "perf_event_paranoid=0`" in refusal.remedy
    assert "paranoid" not in str(explain(error, host(0), kernel, everyone=True))


@pytest.mark.parametrize(("paranoid", "kernel"), [(2, False), (1, False), (1, True), (-1, False), (-1, True)])
def test_a_level_that_allows_it_is_not_blamed(paranoid, kernel):
    refusal = explain(errno.EACCES, host(paranoid), kernel)
    assert "paranoid" not in str(refusal)
    assert "security module" in refusal.reason


def test_a_level_that_does_not_apply_to_this_user_is_not_blamed():
    assert "paranoid" not in str(explain(errno.EACCES, host(4, perfmon=True)))


def test_a_seccomp_filter_is_blamed_where_there_is_one():
    refusal = explain(errno.EPERM, host(1, seccomp=True))
    assert refusal.reason == "a seccomp filter refuses perf_event_open"
    assert "container" not in refusal.remedy


@pytest.mark.parametrize(
    ("container", "remedy"), [("docker", "docker run --cap-add"), ("podman", "podman run"), ("kubernetes", "PERFMON")]
)
def test_a_container_is_told_what_its_own_tool_takes(container, remedy):
    refusal = explain(errno.EPERM, host(2, container, seccomp=True))
    assert container in refusal.reason
    assert remedy in refusal.remedy


def test_in_a_container_the_sysctl_is_the_hosts():
    assert "(on the container's host)" in explain(errno.EACCES, host(3, "docker")).remedy
    assert "host" not in explain(errno.EACCES, host(3)).remedy


def test_a_kernel_without_perf_events_is_no_question_of_a_level():
    assert "CONFIG_PERF_EVENTS" in explain(errno.ENOSYS, host(None)).reason
    assert "paranoid" not in str(explain(errno.EPERM, host(None)))


def test_a_refusal_reads_as_reason_and_remedy():
    assert str(Refusal(Status.NOT_COUNTED, "why", "what to do")) == "why; what to do"
    assert str(Refusal(Status.NOT_COUNTED, "why")) == "why"
