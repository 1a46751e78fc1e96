// The stub broker's process: its options, its two listeners, its control lines and its totals.
//
//   stub_broker --role source --batch-file FILE --batches PER_PARTITION --topic NAME --partitions N
//   stub_broker --role target [--check sequence|crc] [--capture FILE] [--topic NAME --partitions N]
//
// --topics N makes N of them, NAME-0 to NAME-(N-1), each with as many partitions.
// Other options: --port N, --advertised-port N (of a proxy in front of it), --raw-port N,
// --raw-connections N, --cluster-id ID, --max-message-bytes N. The first line on stdout names the
// ports. A line `stats` on stdin prints the totals; the end of stdin, SIGTERM or SIGINT prints them
// and ends the process.

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "broker.h"
#include "socket.h"

namespace bench {

namespace {

struct Options {
    bool is_source = false;
    std::string batch_file;
    int64_t batches = 0;
    std::string topic;
    int32_t topics = 1;
    int32_t partitions = 1;
    uint16_t port = 0;
    uint16_t advertised_port = 0;
    uint16_t raw_port = 0;
    int64_t raw_connections = 1;
    std::string cluster_id;
    int64_t max_message_bytes = 1'048'588;  // Kafka's default
    Check check = Check::kNone;
    std::string capture_file;
};

[[noreturn]] void Usage(const char* why) {
    std::fprintf(stderr, "stub_broker: %s\n", why);
    std::exit(2);
}

Check ParseCheck(std::string_view text) {
    if (text == "none") return Check::kNone;
    if (text == "sequence") return Check::kSequence;
    if (text == "crc") return Check::kCrc;
    Usage("--check is none, sequence or crc");
}

Options Parse(int argc, char** argv) {
    const option flags[] = {{"role", required_argument, nullptr, 'r'},
                            {"batch-file", required_argument, nullptr, 'f'},
                            {"batches", required_argument, nullptr, 'b'},
                            {"topic", required_argument, nullptr, 't'},
                            {"topics", required_argument, nullptr, 'T'},
                            {"partitions", required_argument, nullptr, 'p'},
                            {"port", required_argument, nullptr, 'P'},
                            {"advertised-port", required_argument, nullptr, 'A'},
                            {"raw-port", required_argument, nullptr, 'R'},
                            {"raw-connections", required_argument, nullptr, 'C'},
                            {"cluster-id", required_argument, nullptr, 'i'},
                            {"max-message-bytes", required_argument, nullptr, 'm'},
                            {"check", required_argument, nullptr, 'c'},
                            {"capture", required_argument, nullptr, 'k'},
                            {nullptr, 0, nullptr, 0}};
    Options options;
    std::string_view role;
    for (int flag; (flag = getopt_long(argc, argv, "", flags, nullptr)) != -1;) {
        switch (flag) {
            case 'r':
                role = optarg;
                break;
            case 'f':
                options.batch_file = optarg;
                break;
            case 'b':
                options.batches = std::atoll(optarg);
                break;
            case 't':
                options.topic = optarg;
                break;
            case 'T':
                options.topics = std::atoi(optarg);
                break;
            case 'p':
                options.partitions = std::atoi(optarg);
                break;
            case 'P':
                options.port = static_cast<uint16_t>(std::atoi(optarg));
                break;
            case 'A':
                options.advertised_port = static_cast<uint16_t>(std::atoi(optarg));
                break;
            case 'R':
                options.raw_port = static_cast<uint16_t>(std::atoi(optarg));
                break;
            case 'C':
                options.raw_connections = std::atoll(optarg);
                break;
            case 'i':
                options.cluster_id = optarg;
                break;
            case 'm':
                options.max_message_bytes = std::atoll(optarg);
                break;
            case 'c':
                options.check = ParseCheck(optarg);
                break;
            case 'k':
                options.capture_file = optarg;
                break;
            default:
                Usage("unknown option");
        }
    }
    options.is_source = role == "source";
    if (!options.is_source && role != "target") Usage("--role is source or target");
    if (options.is_source && (options.batch_file.empty() || options.topic.empty())) {
        Usage("a source needs --batch-file, --batches and --topic");
    }
    if (options.cluster_id.empty()) options.cluster_id = "stub-" + std::string(role);
    return options;
}

void Accept(int listener, auto serve) {
    std::thread([=] {
        for (int64_t number = 0;; ++number) {
            const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket < 0) continue;
            std::thread([=] { serve(socket, number); }).detach();
        }
    }).detach();
}

double Seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void PrintTotals(const Traffic& traffic) {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "{\"requests\":%ld,\"batches\":%ld,\"records\":%ld,\"bytes\":%ld,\"outOfOrder\":%ld,"
        "\"badCrc\":%ld,\"firstNs\":%ld,\"lastNs\":%ld,\"userSeconds\":%.3f,\"systemSeconds\":%.3f}"
        "\n",
        traffic.requests.load(), traffic.batches.load(), traffic.records.load(),
        traffic.bytes.load(), traffic.out_of_order.load(), traffic.bad_crc.load(),
        traffic.first_ns.load(), traffic.last_ns.load(), Seconds(usage.ru_utime),
        Seconds(usage.ru_stime));
    std::fflush(stdout);
}

// Returns when the process shall end.
void ServeControl(const Traffic& traffic, int signals) {
    pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
    for (;;) {
        if (poll(watched, 2, -1) < 0) continue;
        if (watched[1].revents != 0) return;
        if (watched[0].revents == 0) continue;
        char line[64];
        if (read(STDIN_FILENO, line, sizeof line) <= 0) return;
        PrintTotals(traffic);
    }
}

void AddTopics(const Options& options, Topics& topics) {
    if (options.topics == 1) return topics.Add(options.topic, options.partitions);
    for (int32_t number = 0; number < options.topics; ++number) {
        topics.Add(options.topic + "-" + std::to_string(number), options.partitions);
    }
}

int Main(int argc, char** argv) {
    const Options options = Parse(argc, argv);
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, nullptr);
    const int signals = signalfd(-1, &ending, SFD_CLOEXEC);

    std::optional<SourceLog> log;
    if (options.is_source) log.emplace(options.batch_file, options.batches);
    // Never destroyed: connection threads use it until the process ends.
    Broker& broker = *new Broker;
    const int listener = Listen(options.port);
    const int raw_listener = Listen(options.raw_port);
    broker.port = options.advertised_port > 0 ? options.advertised_port : PortOf(listener);
    broker.cluster_id = options.cluster_id;
    broker.max_message_bytes = options.max_message_bytes;
    broker.log = log ? &*log : nullptr;
    broker.check = options.check;
    broker.capture_file = options.capture_file;
    if (!options.topic.empty()) AddTopics(options, broker.topics);

    Accept(listener, [&broker](int socket, int64_t) { ServeKafka(broker, socket); });
    const int64_t shares = options.raw_connections;
    const int64_t partitions = int64_t{options.topics} * options.partitions;
    Accept(raw_listener, [&broker, shares, partitions](int socket, int64_t number) {
        ServeRaw(broker, socket, number % shares, shares, partitions);
    });
    std::printf("{\"port\":%u,\"rawPort\":%u}\n", PortOf(listener), PortOf(raw_listener));
    std::fflush(stdout);

    ServeControl(broker.traffic, signals);
    PrintTotals(broker.traffic);
    _exit(0);  // connection threads may still be in the middle of a request
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
