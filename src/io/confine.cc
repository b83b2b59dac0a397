#include "io/confine.h"

#include <dirent.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <optional>

#include "io/file.h"

namespace berth::io {
namespace {

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;  // looks for leaks at the end from a process of its own
#else
constexpr bool kSanitized = false;
#endif

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // no filter
#endif

constexpr int kViolation = 70;

// Reading and writing what is open; TCP and UDP; files of the own folder; memory, threads, time. No exec, kill, ptrace,
// mount, setuid, keyring, bpf or module.
constexpr int kAllowed[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_sendfile,
    SYS_splice,
    SYS_tee,
    SYS_vmsplice,
    SYS_pipe2,
    SYS_close,
    SYS_accept,
    SYS_accept4,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_shutdown,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_signalfd4,
    SYS_ppoll,
    SYS_pselect6,
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_ioctl,
    // files
    SYS_openat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_lseek,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_renameat2,
    SYS_renameat,
    SYS_unlinkat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_mkdirat,
    SYS_getdents64,
    SYS_readlinkat,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_getcwd,
    SYS_umask,
    SYS_flock,
    SYS_fadvise64,
    SYS_fallocate,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    // memory and threads
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_mincore,
    SYS_brk,
    SYS_membarrier,
    SYS_futex,
    SYS_exit,
    SYS_exit_group,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_tgkill,
    SYS_restart_syscall,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_getcpu,
    SYS_prctl,
    // who, when, how much
    SYS_gettid,
    SYS_getpid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrusage,
    SYS_prlimit64,
    SYS_sysinfo,
    SYS_uname,
    SYS_times,
#ifdef __x86_64__
    SYS_epoll_wait,
    SYS_poll,
    SYS_select,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_rename,
    SYS_unlink,
    SYS_chmod,
    SYS_mkdir,
    SYS_readlink,
    SYS_access,
    SYS_time,
    SYS_getrlimit,
    SYS_arch_prctl,
    SYS_pipe,
    SYS_dup2,
#endif
};

Error error_of(std::string what) {
  return Error{Code::internal, what + ": " + std::strerror(errno)};
}

// The user.

struct Account {
  uid_t user;
  gid_t group;
};

std::optional<Account> account_of(const std::string& name) {
  unsigned number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (!name.empty() && parsed.ec == std::errc() && parsed.ptr == name.data() + name.size())
    return Account{number, number};
  const passwd* found = ::getpwnam(name.c_str());
  if (!found) return std::nullopt;
  return Account{found->pw_uid, found->pw_gid};
}

Result<Account> first_account(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) {
    if (const auto account = account_of(name)) return *account;
    all += (all.empty() ? "" : ", ") + name;
  }
  return fail(Code::invalid, "no account " + all + " exists; make it, or name another one");
}

Result<void> give_folder(const std::string& folder, const Account& account) {
  const auto give = [&](const std::string& path) { return ::lchown(path.c_str(), account.user, account.group) == 0; };
  if (!give(folder)) return fail(error_of("cannot give " + folder + " away"));
  for (const std::string& name : TRY(list_folder(folder)))
    if (!give(folder + "/" + name)) return fail(error_of("cannot give " + folder + "/" + name + " away"));
  return {};
}

Result<void> become_user(const Account& account) {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (::setgroups(0, nullptr) != 0 || ::setresgid(account.group, account.group, account.group) != 0 ||
      ::setresuid(account.user, account.user, account.user) != 0)
    return fail(error_of("cannot become user " + std::to_string(account.user)));
  return {};
}

// System calls.

extern "C" void tell_violation(int, siginfo_t* info, void*) {
  char text[] = "berth: system call 000000 is not allowed to this process; it ends\n";
  char* digit = std::strstr(text, "000000") + 5;
  for (int number = info->si_syscall; number > 0; number /= 10) *digit-- = static_cast<char>('0' + number % 10);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(kViolation);
}

constexpr std::uint32_t offset_of_argument(std::size_t number) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + number * sizeof(std::uint64_t));
}

/// Builds the filter; a program for the kernel has neither loops nor calls.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    unless(kArchitecture, SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
    for (const int number : kAllowed) when(number, SECCOMP_RET_ALLOW);
    // glibc then uses clone(2), whose flags can be seen.
    when(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    if (kSanitized) {
      for (const int number : {SYS_clone, SYS_wait4, SYS_ptrace, SYS_process_vm_readv, SYS_kill})
        when(number, SECCOMP_RET_ALLOW);
    }
    // Threads only.
    when_argument(SYS_clone, 0, BPF_JSET, {CLONE_THREAD});
    when_argument(SYS_socket, 0, BPF_JEQ, {AF_INET, AF_INET6});
    add(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  }

  Result<void> install() {
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    // Not slower by mitigations that are for programs of strangers.
    const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0)
      return fail(error_of("the kernel takes no filter of system calls"));
    return {};
  }

 private:
  void add(int code, std::uint32_t value, std::uint8_t if_true = 0, std::uint8_t if_false = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void when(int number, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1);
    add(BPF_RET | BPF_K, verdict);
  }
  void unless(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    add(BPF_RET | BPF_K, verdict);
  }
  /// Allows the call `number` when one of `values` fits its argument.
  void when_argument(int number, std::size_t argument, int test, std::initializer_list<std::uint32_t> values) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0,
        static_cast<std::uint8_t>(2 + 2 * values.size()));
    load(offset_of_argument(argument));
    for (const std::uint32_t value : values) {
      add(BPF_JMP | test | BPF_K, value, 0, 1);
      add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    add(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  }

  std::vector<sock_filter> code_;
};

Result<void> filter_calls() {
  struct sigaction action{};
  action.sa_sigaction = tell_violation;
  action.sa_flags = SA_SIGINFO;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return fail(error_of("cannot watch for system calls"));
  return Filter().install();
}

void forbid_core_files() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!kSanitized) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // nor may processes of the same user look in
}

}  // namespace

Result<std::vector<std::string>> confine(const Confinement& confinement) {
  std::vector<std::string> kept;
  std::optional<Account> account;
  if (!confinement.users.empty() && ::geteuid() == 0) account = TRY(first_account(confinement.users));
  if (!confinement.users.empty() && !account)
    kept.push_back("the user, " + std::to_string(::geteuid()) + ": only root can become another");
  if (account && !confinement.folder.empty()) TRY(give_folder(confinement.folder, *account));
  if (!confinement.folder.empty() && ::chdir(confinement.folder.c_str()) != 0)
    return fail(error_of("cannot go to " + confinement.folder));
  if (account) TRY(become_user(*account));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail(error_of("cannot give up new privileges"));
  forbid_core_files();
  if (kArchitecture == 0) {
    kept.push_back("system calls: no filter is known for this processor");
  } else if (auto filtered = filter_calls(); !filtered) {
    kept.push_back("system calls: " + filtered.error().message);
  }
  return kept;
}

Result<bool> become_account(const std::string& name, const std::string& extra) {
  const passwd* found = ::getpwnam(name.c_str());
  if (!found) return false;
  const Account account{found->pw_uid, found->pw_gid};
  gid_t groups[64];
  int count = 63;
  if (::getgrouplist(name.c_str(), account.group, groups, &count) < 0)
    return fail(Code::internal, "account " + name + " has more than 63 groups");
  if (const group* also = ::getgrnam(extra.c_str())) groups[count++] = also->gr_gid;
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (::setgroups(static_cast<std::size_t>(count), groups) != 0 ||
      ::setresgid(account.group, account.group, account.group) != 0 ||
      ::setresuid(account.user, account.user, account.user) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail(error_of("cannot become user " + name));
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  return true;
}

void end_with_parent(int signal) {
  ::prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

}  // namespace berth::io
