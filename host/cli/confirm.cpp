#include "cli/confirm.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string_view>

#include "base/fd.hpp"
#include "cli/log.hpp"

namespace p2pdiag::cli {

namespace {

constexpr std::size_t longest_answer = 256;

bool is_yes(std::string answer) {
    std::erase_if(answer, [](unsigned char c) { return std::isspace(c) != 0; });
    std::ranges::transform(answer, answer.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return answer == "y" || answer == "yes";
}

std::string quoted(const std::string& word) {
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(harmless) == word.npos) return word;
    std::string out = "'";
    for (const char c : word) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + '\'';
}

}  // namespace

Answer ask(const Context& context, SignalWatch& signals, const std::string& question) {
    if (context.globals.no_input || ::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) {
        return Answer::nobody_there;
    }
    write_all(STDERR_FILENO, question + " [y/N] ");
    std::string answer;
    while (answer.find('\n') == answer.npos && answer.size() < longest_answer) {
        pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {signals.fd(), POLLIN, 0}};
        if (::poll(watched, 2, -1) < 0 && errno != EINTR) break;
        if (watched[1].revents != 0 && signals.count() > 0) {
            write_all(STDERR_FILENO, "\n");
            return Answer::interrupted;
        }
        if (watched[0].revents == 0) continue;
        char buffer[longest_answer];
        const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (got <= 0) {
            write_all(STDERR_FILENO, "\n");
            break;
        }
        answer.append(buffer, static_cast<std::size_t>(got));
    }
    return is_yes(answer) ? Answer::yes : Answer::no;
}

std::string command_with_yes(const Context& context) {
    std::string line = "p2pdiag";
    for (const std::string& word : context.command_line) line += ' ' + quoted(word);
    return line + " --yes";
}

Answer ask_and_tell(const Context& context, SignalWatch& signals, const std::string& question,
                    const std::string& done) {
    const Answer answer = ask(context, signals, question);
    if (answer == Answer::no) complain("declined: nothing was " + done);
    if (answer == Answer::nobody_there) {
        complain("nothing was " + done + ", since there is nobody to ask. To do it:\n  " +
                 command_with_yes(context));
    }
    return answer;
}

}  // namespace p2pdiag::cli
