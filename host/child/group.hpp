// Runs children of this very executable in parallel and keeps them within bounds. One poll loop on
// one thread.
//
// A child gets three descriptors: it writes result lines to 3, reads its input from 4, and sees 5
// hang up when it must stop. With Command::acknowledge it gets a byte on 6 for each line that was
// dealt with. Its stdout and stderr are read and only the end of them is kept, so
// that a plugin that prints cannot spoil the host's stdout. It is the leader of a process group,
// which is killed as a whole.
#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace p2pdiag::child {

inline constexpr int result_fd = 3;
inline constexpr int input_fd = 4;
inline constexpr int cancel_fd = 5;
inline constexpr int acknowledge_fd = 6;
inline constexpr int first_extra_fd = 7;

// What one child may hand over (abi.h says the same to plugin authors).
inline constexpr std::size_t max_message_bytes = 1 << 20;
inline constexpr std::size_t max_total_bytes = 4 << 20;
// Enough of stdout and stderr to see why it died.
inline constexpr std::size_t kept_output_bytes = 2048;
// Between asking a child to stop and killing it: time to remove what it made.
inline constexpr Milliseconds cancel_grace{2000};
// Past its deadline a well-behaved child is already writing its result.
inline constexpr Milliseconds deadline_grace{250};

struct Command {
    std::vector<std::string> arguments;  // without argv[0]
    std::string input;                   // what it reads on descriptor 4
    std::optional<TimePoint> deadline;
    bool acknowledge = false;
    std::size_t total_bytes = max_total_bytes;  // of results
    // Descriptors of the caller's that it gets as 7, 8, …; none of them below 10.
    std::vector<int> extra{};
};

struct Exit {
    enum class How { exited, signalled, timed_out, flooded, cancelled, not_started };
    How how = How::exited;
    int value = 0;         // exit code, signal number, or errno
    std::string output{};  // the end of stdout and stderr
    bool killed = false;   // it did not end when it was asked to
};

// "exited with code 3", "was killed by SIGSEGV (Segmentation fault)".
std::string to_string(const Exit& exit);

class Group {
public:
    using OnLine = std::function<void(std::string_view line)>;
    using OnExit = std::function<void(const Exit& exit)>;

    Group();
    ~Group();  // kills what still runs
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    // on_line is called for each whole line, on_exit once, after the last line. Both run inside
    // run() and may start more children.
    void start(Command command, OnLine on_line, OnExit on_exit);

    // Until no child is left. on_wakeup, when given, is called after every wait, at least every
    // `tick`.
    void run(const std::function<void()>& on_wakeup = {}, Milliseconds tick = Milliseconds(1000));
    // The same, or until `enough` says so after a wait; it is asked at least every `tick`.
    void run_until(const std::function<bool()>& enough, Milliseconds tick);
    // Deals with what has come so far, and waits for nothing.
    void look();

    // Asks all children to stop; what is still there after the grace is killed. However they end
    // from here on, they were cancelled.
    void cancel(Milliseconds grace = cancel_grace);
    // Asks all children to end what they do, which they are told as a request to stop; what is
    // still there after the grace has timed out.
    void finish(Milliseconds grace);
    // Kills all at once.
    void kill_all();

    // run() wakes up when it becomes readable, and leaves it to on_wakeup. Not owned.
    void watch(int fd) { watched_fd_ = fd; }

private:
    struct Child;

    void wait_once(Milliseconds tick);
    void pump_results(Child& child);
    void pump_output(Child& child);
    void flooded(Child& child);
    void enforce_deadline(Child& child, TimePoint now);
    bool reap(Child& child);
    void kill(Child& child, Exit::How why);
    void ask_to_end(Child& child, Milliseconds grace);
    int wait_milliseconds(TimePoint now, Milliseconds tick) const;

    std::list<Child> children_;
    int watched_fd_ = -1;
};

}  // namespace p2pdiag::child
