// A text for people, line by line; nothing in it can steer the terminal.
#pragma once

#include <string>

#include "report/text.hpp"

namespace p2pdiag::cli {

class TextPage {
public:
    // Without `unicode` it is ASCII.
    explicit TextPage(bool unicode) : unicode_(unicode) {}

    void line(const std::string& text) { out_ += report::single_line(text, unicode_) + '\n'; }
    std::string mark(const char* symbol, const char* ascii) const {
        return unicode_ ? symbol : ascii;
    }
    std::string take() { return std::move(out_); }

private:
    bool unicode_;
    std::string out_;
};

}  // namespace p2pdiag::cli
