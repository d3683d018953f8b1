// Date headers: whatever comes in, what comes out is a time that exists.
#include <cstdlib>

#include "base/bytes.hpp"
#include "wire/http/date.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::chrono_literals;
    const auto text = p2pdiag::as_text({data, size});
    if (const auto time = p2pdiag::http::parse_date(text)) {
        const auto date = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*time));
        if (!date.ok() || date.year() < 0y || date.year() > 10000y) std::abort();
    }
    return 0;
}
