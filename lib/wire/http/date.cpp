#include "wire/http/date.hpp"

#include <algorithm>
#include <array>

namespace p2pdiag::http {

namespace {

using std::string_view;
using std::chrono::sys_seconds;

constexpr std::array<string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<string_view, 7> days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};

// Takes one thing after the other from the front; once something does not fit, nothing does.
class Reader {
public:
    explicit Reader(string_view text) : rest_(text) {}

    void skip(string_view wanted) {
        ok_ = ok_ && rest_.starts_with(wanted);
        if (ok_) rest_.remove_prefix(wanted.size());
    }

    // Exactly so many digits; with `blank`, the first may be a space.
    int number(std::size_t digits, bool blank = false) {
        ok_ = ok_ && rest_.size() >= digits;
        int value = 0;
        for (std::size_t i = 0; ok_ && i < digits; ++i) {
            const char c = blank && i == 0 && rest_[0] == ' ' ? '0' : rest_[i];
            ok_ = c >= '0' && c <= '9';
            value = value * 10 + (c - '0');
        }
        if (ok_) rest_.remove_prefix(digits);
        return ok_ ? value : 0;
    }

    // Index of the word that stands here.
    template <std::size_t count>
    std::size_t word(const std::array<string_view, count>& words) {
        const auto found = std::find_if(words.begin(), words.end(),
                                        [this](string_view one) { return rest_.starts_with(one); });
        ok_ = ok_ && found != words.end();
        if (ok_) rest_.remove_prefix(found->size());
        return ok_ ? static_cast<std::size_t>(found - words.begin()) : 0;
    }

    bool all_read() const { return ok_ && rest_.empty(); }

private:
    string_view rest_;
    bool ok_ = true;
};

struct Time {
    int year = 0;
    std::size_t month = 0;  // from 0
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

void read_clock(Reader& reader, Time& time) {
    time.hour = reader.number(2);
    reader.skip(":");
    time.minute = reader.number(2);
    reader.skip(":");
    time.second = reader.number(2);
}

// IMF-fixdate.
bool read_preferred(Reader reader, Time& time) {
    reader.word(days);
    reader.skip(", ");
    time.day = reader.number(2);
    reader.skip(" ");
    time.month = reader.word(months);
    reader.skip(" ");
    time.year = reader.number(4);
    reader.skip(" ");
    read_clock(reader, time);
    reader.skip(" GMT");
    return reader.all_read();
}

bool read_rfc850(Reader reader, Time& time) {
    reader.word(long_days);
    reader.skip(", ");
    time.day = reader.number(2);
    reader.skip("-");
    time.month = reader.word(months);
    reader.skip("-");
    const int two_digits = reader.number(2);
    time.year = two_digits + (two_digits < 70 ? 2000 : 1900);
    reader.skip(" ");
    read_clock(reader, time);
    reader.skip(" GMT");
    return reader.all_read();
}

bool read_asctime(Reader reader, Time& time) {
    reader.word(days);
    reader.skip(" ");
    time.month = reader.word(months);
    reader.skip(" ");
    time.day = reader.number(2, true);
    reader.skip(" ");
    read_clock(reader, time);
    reader.skip(" ");
    time.year = reader.number(4);
    return reader.all_read();
}

}  // namespace

std::optional<sys_seconds> parse_date(string_view text) {
    namespace chrono = std::chrono;
    Time time;
    const Reader reader(text);
    if (!read_preferred(reader, time) && !read_rfc850(reader, time) &&
        !read_asctime(reader, time)) {
        return std::nullopt;
    }
    const chrono::year_month_day date(chrono::year(time.year),
                                      chrono::month(static_cast<unsigned>(time.month) + 1),
                                      chrono::day(static_cast<unsigned>(time.day)));
    // 60 is a leap second.
    if (!date.ok() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
    return chrono::sys_days(date) + chrono::hours(time.hour) + chrono::minutes(time.minute) +
           chrono::seconds(time.second);
}

}  // namespace p2pdiag::http
