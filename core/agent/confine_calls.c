/*
 * The list of the kernel's calls that the agent may make, as a filter (seccomp(2)); see confine.h.
 *
 * What is not on it fails with EPERM; what is newer than the list with ENOSYS, so that a newer C
 * library does it the old way. The list has what glibc, musl, libcurl, OpenSSL, ldns and the
 * resolver's modules (NSS) call, whether this version of them does or another.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "agent/confine.h"
#include "agent/confine_compat.h"
#include "base/compiler.h"

#define NEWEST_KNOWN 450 /* numbers are the same on all machines from 424 on */
#define X32_BIT      0x40000000u

/* Allowed whatever the arguments are; the frequent ones first. */
static const int allowed[] = {
    SYS_read,
    SYS_write,
    SYS_close,
    SYS_futex,
    SYS_epoll_pwait,
    SYS_ppoll,
    SYS_recvfrom,
    SYS_sendto,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_openat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_clock_gettime,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_brk,
    SYS_madvise,
    /* files */
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_lseek,
    SYS_openat2,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_fcntl,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_sync_file_range,
    SYS_syncfs,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_copy_file_range,
    SYS_sendfile,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_linkat,
    SYS_readlinkat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_utimensat,
    SYS_getdents64,
    SYS_umask,
    SYS_chdir,
    SYS_fchdir,
    SYS_getcwd,
    SYS_ioctl,
    SYS_memfd_create,
    SYS_close_range,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    /* waiting and time */
    SYS_pselect6,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait2,
    SYS_eventfd2,
    SYS_signalfd4,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_times,
    SYS_getitimer,
    SYS_setitimer,
    /* the network */
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_accept,
    SYS_accept4,
    SYS_getsockname,
    SYS_getpeername,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    /* memory */
    SYS_mremap,
    SYS_msync,
    SYS_mincore,
    SYS_mlock,
    SYS_mlock2,
    SYS_munlock,
    SYS_membarrier,
    /* signals, threads, children of our own */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_kill,
    SYS_tgkill,
    SYS_tkill,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_setpgid,
    SYS_setsid,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getcpu,
    SYS_getpriority,
    /* about itself and the machine */
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getpgid,
    SYS_getsid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_getrusage,
    SYS_prlimit64,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrandom,
#ifdef SYS_open /* calls that younger machines have only in their newer form */
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_poll,
    SYS_select,
    SYS_pipe,
    SYS_dup2,
    SYS_epoll_create,
    SYS_epoll_wait,
    SYS_eventfd,
    SYS_signalfd,
    SYS_inotify_init,
    SYS_mkdir,
    SYS_rmdir,
    SYS_rename,
    SYS_unlink,
    SYS_link,
    SYS_readlink,
    SYS_chmod,
    SYS_getdents,
    SYS_time,
    SYS_alarm,
    SYS_getrlimit,
    SYS_setrlimit,
    SYS_getpgrp,
    SYS_pause,
    SYS_arch_prctl,
    SYS_utimes,
    SYS_vfork,
    SYS_fork,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
};

static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6};
static const unsigned controls[] = {PR_SET_NAME,         PR_GET_NAME,     PR_SET_PDEATHSIG,
                                    PR_GET_PDEATHSIG,    PR_GET_DUMPABLE, PR_SET_NO_NEW_PRIVS,
                                    PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ};

#define NAMESPACES                                                                                 \
    ((unsigned)CLONE_NEWNS | (unsigned)CLONE_NEWCGROUP | (unsigned)CLONE_NEWUTS |                  \
     (unsigned)CLONE_NEWIPC | (unsigned)CLONE_NEWUSER | (unsigned)CLONE_NEWPID |                   \
     (unsigned)CLONE_NEWNET)

#define FILTER_MOST 512

struct filter {
    struct sock_filter code[FILTER_MOST];
    unsigned short count;
};

static void add_instruction(struct filter *f, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    if (f->count < FILTER_MOST) {
        f->code[f->count++] = (struct sock_filter){code, yes, no, k};
    }
}

static void return_action(struct filter *f, uint32_t what)
{
    add_instruction(f, BPF_RET | BPF_K, 0, 0, what);
}

static void deny(struct filter *f, int errnum)
{
    return_action(f, SECCOMP_RET_ERRNO | ((uint32_t)errnum & SECCOMP_RET_DATA));
}

static void load_field(struct filter *f, size_t offset)
{
    add_instruction(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* The lower half of an argument: all machines on the list put it first. */
static void load_argument(struct filter *f, unsigned i)
{
    load_field(f, offsetof(struct seccomp_data, args) + i * sizeof(uint64_t));
}

/* If what was loaded is this, that is the answer. */
static void answer_if(struct filter *f, uint32_t value, uint32_t what)
{
    add_instruction(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    return_action(f, what);
}

/* Opens a part that is passed over unless the call is this one; to be closed by end_call(). */
static unsigned short begin_call(struct filter *f, int number)
{
    add_instruction(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint32_t)number);
    return f->count;
}

static void end_call(struct filter *f, unsigned short begun)
{
    if (f->count <= FILTER_MOST && begun > 0) {
        f->code[begun - 1].jf = (uint8_t)(f->count - begun);
    }
}

/* Of sockets those that name servers, CAs and the system's resolver need. */
static void add_socket(struct filter *f)
{
    unsigned short call = begin_call(f, SYS_socket);

    load_argument(f, 0);
    for (size_t i = 0; i < HC_COUNT(families); i++) {
        answer_if(f, families[i], SECCOMP_RET_ALLOW);
    }
    add_instruction(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0,
                    AF_NETLINK); /* getaddrinfo(): which addresses? */
    deny(f, EAFNOSUPPORT);
    load_argument(f, 2);
    answer_if(f, 0, SECCOMP_RET_ALLOW); /* NETLINK_ROUTE */
    deny(f, EPERM);
    end_call(f, call);
}

/* Threads and forks, in the namespaces that are ours. */
static void add_clone(struct filter *f)
{
    unsigned short call = begin_call(f, SYS_clone);

    load_argument(f, 0);
    add_instruction(f, BPF_JMP | BPF_JSET | BPF_K, 1, 0, NAMESPACES);
    return_action(f, SECCOMP_RET_ALLOW);
    deny(f, EPERM);
    end_call(f, call);
    answer_if(f, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS); /* its flags are in memory */
}

static void add_prctl(struct filter *f)
{
    unsigned short call = begin_call(f, SYS_prctl);

    load_argument(f, 0);
    for (size_t i = 0; i < HC_COUNT(controls); i++) {
        answer_if(f, controls[i], SECCOMP_RET_ALLOW);
    }
    deny(f, EPERM);
    end_call(f, call);
}

static void make_filter(struct filter *f)
{
    f->count = 0;
    load_field(f, offsetof(struct seccomp_data, arch));
    add_instruction(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, HC_CONFINE_MACHINE);
    return_action(f, SECCOMP_RET_KILL_PROCESS);
    load_field(f, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < HC_COUNT(allowed); i++) {
        answer_if(f, (uint32_t)allowed[i], SECCOMP_RET_ALLOW);
    }
    add_socket(f);
    add_clone(f);
    add_prctl(f);
    add_instruction(f, BPF_JMP | BPF_JGE | BPF_K, 0, 1,
                    X32_BIT); /* on x86-64, another way to call */
    deny(f, EPERM);
    add_instruction(f, BPF_JMP | BPF_JGT | BPF_K, 0, 1, NEWEST_KNOWN);
    deny(f, ENOSYS);
    deny(f, EPERM);
}

int hc_confine_calls(struct hc_error *err)
{
    struct filter f;
    struct sock_fprog program = {.filter = f.code};

    if (HC_CONFINE_SANITIZED) {
        return hc_error_set(err, HC_P_NOT_CONFINED, "seccomp", "this build has sanitizers");
    }
    if (HC_CONFINE_MACHINE == 0) {
        return hc_error_set(err, HC_P_NOT_CONFINED, "seccomp",
                            "hotcert has a list of system calls for x86-64 and arm64 only");
    }
    make_filter(&f);
    program.len = f.count;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        return hc_error_set_errno(err, HC_P_NOT_CONFINED, "seccomp", errno,
                                  "this kernel does not accept the list");
    }
    return 0;
}
