/* Removes and moves names in ways that no shell tool offers: deeds DEED ARGUMENT... */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int raw_unlink(const char *path)
{
    return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

#ifdef __x86_64__
/* The 32-bit call table, whose pointers are below 4 GiB. */
static int int80_unlink(const char *path)
{
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;

    if (low == MAP_FAILED)
        return -1;
    strncpy(low, path, 4095);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(10), "b"(low) : "memory", "cc");
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return 0;
}
#endif

static void *unlink_in_thread(void *path)
{
    return unlink(path) ? (void *)(long)errno : NULL;
}

static int thread_unlink(char *path)
{
    pthread_t thread;
    void *failed;

    if (pthread_create(&thread, NULL, unlink_in_thread, path))
        return -1;
    pthread_join(thread, &failed);
    errno = (long)failed;
    return failed ? -1 : 0;
}

/* A daemon, which waits for the end of its parents and of theirs: they hold a pipe. */
static int orphan_unlink(const char *path)
{
    int ends[2];
    char nothing;

    if (pipe(ends))
        return -1;
    if (fork())
        return 0;
    setsid();
    if (fork())
        return 0;
    close(ends[1]);
    if (read(ends[0], &nothing, 1))
        return -1;
    return unlink(path);
}

static int chroot_unlink(const char *root, const char *path)
{
    return chroot(root) || chdir("/") || unlink(path);
}

static int exchange(const char *one, const char *other)
{
    return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */);
}

static int io_uring(void)
{
    char parameters[120] = {0};

    return syscall(425 /* io_uring_setup */, 8, parameters);
}

static int process_id(const char *text)
{
    int pid = 0;

    sscanf(text, "%d", &pid);
    return pid;
}

static int attach(const char *pid)
{
    return ptrace(PTRACE_SEIZE, process_id(pid), NULL, NULL);
}

/* As debuggers and strace do with what they start. */
static int trace(void)
{
    int ends[2], child, failed;
    char nothing;

    if (pipe(ends))
        return -1;
    child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &nothing, 1));
    }
    failed = ptrace(PTRACE_SEIZE, child, NULL, NULL);
    close(ends[1]);
    close(ends[0]);
    waitpid(child, NULL, 0);
    return failed;
}

static int overwrite(const char *pid)
{
    char byte = 0;
    struct iovec here = {&byte, 1}, there = {(void *)4096, 1};

    return process_vm_writev(process_id(pid), &here, 1, &there, 1, 0);
}

/* Adopts what its child leaves behind, as a container's or a desktop's first process does. */
static int subreaper(char **words)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        return -1;
    if (fork() == 0) {
        execvp(words[0], words);
        _exit(127);
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}

/* A child of its parent's, which is no descendant of its own. */
static int sibling_unlink(const char *path)
{
    long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

    if (child < 0)
        return -1;
    if (child == 0)
        _exit(unlink(path));
    return 0;
}

int main(int count, char **words)
{
    const char *deed = count > 1 ? words[1] : "";
    char *one = count > 2 ? words[2] : "", *other = count > 3 ? words[3] : "";
    int failed;

    if (!strcmp(deed, "unlink"))
        failed = unlink(one);
    else if (!strcmp(deed, "rename"))
        failed = rename(one, other);
    else if (!strcmp(deed, "raw"))
        failed = raw_unlink(one);
#ifdef __x86_64__
    else if (!strcmp(deed, "int80"))
        failed = int80_unlink(one);
#endif
    else if (!strcmp(deed, "thread"))
        failed = thread_unlink(one);
    else if (!strcmp(deed, "orphan"))
        failed = orphan_unlink(one);
    else if (!strcmp(deed, "subreaper"))
        failed = subreaper(words + 2);
    else if (!strcmp(deed, "sibling"))
        failed = sibling_unlink(one);
    else if (!strcmp(deed, "chroot"))
        failed = chroot_unlink(one, other);
    else if (!strcmp(deed, "exchange"))
        failed = exchange(one, other);
    else if (!strcmp(deed, "io_uring"))
        failed = io_uring() < 0;
    else if (!strcmp(deed, "attach"))
        failed = attach(one);
    else if (!strcmp(deed, "trace"))
        failed = trace() < 0;
    else if (!strcmp(deed, "overwrite"))
        failed = overwrite(one) < 0;
    else {
        fprintf(stderr, "deeds: no such deed: %s\n", deed);
        return 2;
    }
    if (failed)
        perror(deed);
    return failed ? 1 : 0;
}
