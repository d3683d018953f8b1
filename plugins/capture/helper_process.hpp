// The program p2pdiag-capture, started and listened to. It alone may be allowed to capture; its
// output is a pcapng stream, read by the same reader as any file.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "capture/input.hpp"

namespace p2pdiag::capture_plugin {

// Where it lies in this tree, beside the host: libexec/p2pdiag/p2pdiag-capture.
std::filesystem::path helper_path();

// The command that lets everybody who may start the helper capture.
std::string command_to_allow(const std::filesystem::path& helper);

// What it says of an interface, or of itself where that is "-".
struct HelperProblem {
    std::string interface;
    std::string kind;  // not-permitted no-such-interface not-up bad-filter gone failed
    std::string text;
};

struct HelperResult {
    int exit_code = -1;  // -1 = killed by a signal, or never started
    std::string output;  // of a probe
    std::vector<HelperProblem> problems;

    bool not_permitted() const;
    // The first problem in words; never empty.
    std::string why() const;
};

// Bytes of each packet that are kept: a whole one of Ethernet with tags. STUN, DNS and what routers
// answer fit; the headers alone would not tell a mapped address from a port. Of TCP's frames that
// the network card is to divide (segmentation offload) it is the beginning, which is read.
inline constexpr unsigned default_snap_length = 1600;

struct HelperOrder {
    std::vector<std::string> interfaces;
    bool lenient = false;  // interfaces that are no good are left out, as long as there is another
    std::string filter;
    unsigned snap_length = default_snap_length;
};

class HelperProcess {
public:
    // Nothing with errno set when it cannot be started.
    static std::unique_ptr<HelperProcess> start(const std::vector<std::string>& arguments);
    static std::unique_ptr<HelperProcess> start(const HelperOrder& order);
    ~HelperProcess();  // ends it
    HelperProcess(const HelperProcess&) = delete;
    HelperProcess& operator=(const HelperProcess&) = delete;

    // Its packets. Once `stop_fd` becomes readable (-1 = never) or `until` has come it is asked to
    // end, and what it still writes is read. Valid as long as this is.
    std::unique_ptr<capture::Input> packets(int stop_fd, TimePoint until);

    // After its output has ended: how it did.
    HelperResult result();

private:
    class Output;
    HelperProcess() = default;
    void kill();

    pid_t pid_ = -1;
    Fd control_;  // its stdin: closed, it ends
    Fd output_;
    Fd messages_;  // a file, its stderr
};

// Looks at what may be captured on, and ends. Nothing with errno set when it cannot be started.
std::optional<HelperResult> probe(const std::vector<std::string>& interfaces);

}  // namespace p2pdiag::capture_plugin
