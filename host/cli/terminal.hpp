// What the terminal on the other side can show, and the line of live progress on it.
#pragma once

#include <map>
#include <string>

#include "base/clock.hpp"
#include "cli/paths.hpp"

namespace p2pdiag::cli {

// For the stream `fd`: colour only on a terminal that is not "dumb", never with NO_COLOR
// (no-color.org) unless `wish` is "always"; Unicode where the locale says UTF-8.
bool use_colour(int fd, const std::string& wish, const Environment& environment);
bool use_unicode(const Environment& environment);
unsigned terminal_width(int fd, const Environment& environment);  // 80 where it is not known

// One line on stderr that is rewritten in place; on anything but a terminal it writes nothing.
class ProgressLine {
public:
    explicit ProgressLine(const Environment& environment);
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void start(const std::string& check);
    void note(const std::string& check, double fraction, const std::string& text);
    void finish(const std::string& check);
    void draw();   // call it now and then; cheap when nothing changed
    void clear();  // before anything else is written to the terminal

private:
    bool shown_ = false;
    bool enabled_;
    unsigned width_;
    TimePoint began_ = Clock::now();
    std::string drawn_;
    std::map<std::string, std::string> running_;  // check -> what it last said
};

}  // namespace p2pdiag::cli
