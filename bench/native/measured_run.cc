// Runs one contender and writes what the kernel says it cost, to the microsecond and with
// everything up to its last exit step.
//
//   measured_run RESULT_FILE LOG_FILE COMMAND [ARGUMENT...]
//
// The contender writes to the log file; the first line on stdout is its process id. SIGTERM and
// SIGINT are passed on, and so is the end of the bench. Ends as the contender did.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace {

volatile sig_atomic_t contender = 0;

void PassOn(int signal) {
    if (contender > 0) kill(contender, signal);
}

double Seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double Now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "measured_run: RESULT_FILE LOG_FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    struct sigaction action{};
    action.sa_handler = PassOn;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);

    const double started = Now();
    const pid_t child = fork();
    if (child == 0) {
        // Whoever ends this process must not leave a mirror behind.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        const int log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        close(log);
        execvp(argv[3], argv + 3);
        std::perror(argv[3]);
        _exit(127);
    }
    contender = child;
    std::printf("%d\n", child);
    std::fflush(stdout);

    int status = 0;
    rusage usage{};
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::FILE* result = std::fopen(argv[1], "w");
    if (result == nullptr) {
        std::perror(argv[1]);
        return 1;
    }
    std::fprintf(result,
                 "{\"exitCode\":%d,\"seconds\":%.3f,\"userSeconds\":%.3f,\"systemSeconds\":%.3f,"
                 "\"peakRssBytes\":%ld}\n",
                 code, Now() - started, Seconds(usage.ru_utime), Seconds(usage.ru_stime),
                 usage.ru_maxrss * 1024);
    std::fclose(result);
    return code;
}
