#include "fake/coturn.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>
#include <vector>

#include "fake/stun_server.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::testing {

namespace {

using Clock = std::chrono::steady_clock;

// For a busy machine; it is up after a fraction of a second otherwise.
constexpr auto patience = std::chrono::seconds(30);

// Starts a program with nothing on its standard streams; it dies with us.
pid_t spawn(std::vector<std::string> words, const std::string& directory) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || ::chdir(directory.c_str()) != 0) ::_exit(127);
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

bool run(std::vector<std::string> words, const std::string& directory) {
    const pid_t pid = spawn(std::move(words), directory);
    int status = 0;
    return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bool write_certificate(const std::string& directory) {
    return run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem",
                "-out", "cert.pem"},
               directory);
}

sockaddr_in to_address(const Endpoint& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(endpoint.address.v4_bits());
    return address;
}

// Asks by UDP until an answer comes to any of the questions, `alive` says no, or the time is over.
bool answers(const Endpoint& server, Clock::time_point end, const std::function<bool()>& alive) {
    const sockaddr_in address = to_address(server);
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const Bytes request = stun::encode({});
    bool answered = false;
    while (!answered && alive() && Clock::now() < end) {
        ::sendto(fd, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                 sizeof address);
        pollfd waiting{fd, POLLIN, 0};
        answered = ::poll(&waiting, 1, 50) > 0 && (waiting.revents & POLLIN) != 0;
    }
    ::close(fd);
    return answered;
}

bool accepts(const Endpoint& server, Clock::time_point end, const std::function<bool()>& alive) {
    const sockaddr_in address = to_address(server);
    bool accepted = false;
    while (!accepted && alive() && Clock::now() < end) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        accepted = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        if (!accepted) ::poll(nullptr, 0, 10);
    }
    return accepted;
}

}  // namespace

std::optional<Coturn> Coturn::start(CoturnOptions options) {
    // A port that was free a moment ago may be somebody else's now.
    for (int tries = 0; tries < 3; ++tries) {
        if (auto server = start_once(options)) return server;
    }
    return std::nullopt;
}

std::optional<Coturn> Coturn::start_once(CoturnOptions options) {
    char pattern[] = "/tmp/p2pdiag-coturn-XXXXXX";
    if (::mkdtemp(pattern) == nullptr) return std::nullopt;
    Coturn server;
    server.directory_ = pattern;
    server.endpoint_ = closed_port();
    server.tls_endpoint_ = closed_port();
    if (options.tls && !write_certificate(server.directory_)) return std::nullopt;

    std::ofstream config(server.directory_ + "/turnserver.conf");
    config << "listening-ip=127.0.0.1\n";
    if (options.rfc5780) config << "listening-ip=127.0.0.2\n";
    config << "listening-port=" << server.endpoint_.port
           << "\nalt-listening-port=" << closed_port().port
           << "\nno-cli\nno-auth\nno-dtls\nno-software-attribute\n"
           << "log-file=stdout\npidfile=" << server.directory_
           << "/pid\nuserdb=" << server.directory_ << "/db\n";
    if (options.tls) {
        config << "tls-listening-port=" << server.tls_endpoint_.port
               << "\ncert=" << server.directory_ << "/cert.pem\npkey=" << server.directory_
               << "/key.pem\n";
    } else {
        config << "no-tls\n";
    }
    config.close();

    server.pid_ =
        spawn({"turnserver", "-c", server.directory_ + "/turnserver.conf"}, server.directory_);
    if (server.pid_ <= 0) return std::nullopt;
    const auto end = Clock::now() + patience;
    const auto alive = [&server] {
        if (server.pid_ > 0 && ::waitpid(server.pid_, nullptr, WNOHANG) != 0) server.pid_ = 0;
        return server.pid_ > 0;
    };
    const bool ready = answers(server.endpoint_, end, alive) &&
                       accepts(server.endpoint_, end, alive) &&
                       (!options.tls || accepts(server.tls_endpoint_, end, alive));
    if (!ready) return std::nullopt;
    return server;
}

Coturn::~Coturn() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

Coturn::Coturn(Coturn&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      directory_(std::exchange(other.directory_, {})),
      endpoint_(other.endpoint_),
      tls_endpoint_(other.tls_endpoint_) {}

}  // namespace p2pdiag::testing
