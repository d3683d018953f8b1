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
#include <utility>
#include <vector>

#include "fake/stun_server.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::testing {

namespace {

using Clock = std::chrono::steady_clock;

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

// Asks once; whether an answer came within 50 ms.
bool answers(const Endpoint& server) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(server.address.v4_bits());
    const Bytes request = stun::encode({});
    ::sendto(fd, request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&address),
             sizeof address);
    pollfd waiting{fd, POLLIN, 0};
    const bool readable = ::poll(&waiting, 1, 50) > 0 && (waiting.revents & POLLIN) != 0;
    ::close(fd);
    return readable;
}

}  // namespace

std::optional<Coturn> Coturn::start(CoturnOptions options) {
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
    for (const auto end = Clock::now() + std::chrono::seconds(10); Clock::now() < end;) {
        if (answers(server.endpoint_)) return server;
        if (::waitpid(server.pid_, nullptr, WNOHANG) != 0) {
            server.pid_ = 0;
            break;
        }
    }
    return std::nullopt;
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
