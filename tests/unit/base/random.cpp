#include "base/random.hpp"

#include <catch2/catch.hpp>

namespace p2pdiag {

TEST_CASE("a random name has two digits for each byte, and is another one each time") {
    const std::string name = random_name(8);
    CHECK(name.size() == 16);
    CHECK(name.find_first_not_of("0123456789abcdef") == name.npos);
    CHECK(random_name(8) != name);
    CHECK(random_name(0).empty());
}

}  // namespace p2pdiag
