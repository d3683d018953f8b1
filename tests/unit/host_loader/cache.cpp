#include "loader/cache.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "folder.hpp"

using namespace p2pdiag;
using loader::Cache;

namespace {

// A cache file and a plugin.
class Place {
public:
    Place() { write_plugin("not read here"); }

    void write_plugin(std::string_view text) const { folder_.write("a.so", text); }
    std::filesystem::path plugin() const { return folder_.path() / "a.so"; }
    Cache cache() const { return Cache(file()); }

    void remember_hung() const {
        Cache made = cache();
        made.store_hung(plugin(), Cache::identity(plugin()), "it hangs");
        made.save();
    }

    // Moves the time at which it hung.
    void shift(std::int64_t seconds) const {
        std::ifstream stream(file());
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        json::object document = json::parse(text)->as_object();
        json::value& since = document["plugins"].as_object()[plugin().native()].at("since");
        since = since.as_int64() + seconds;
        std::ofstream(file()) << json::to_text(document);
    }

private:
    std::filesystem::path file() const { return folder_.path() / "p2pdiag" / "plugins.json"; }

    Folder folder_;
};

}  // namespace

TEST_CASE("a plugin that hung is remembered for ten minutes") {
    const Place place;
    CHECK_FALSE(place.cache().find_hung(place.plugin()));
    place.remember_hung();
    CHECK(place.cache().find_hung(place.plugin()) ==
          "it hangs (tried again in 10 min, by 'p2pdiag validate', or when the file changes)");
    CHECK(place.cache().find(place.plugin()) == nullptr);
    place.shift(-590);
    CHECK(place.cache().find_hung(place.plugin()) ==
          "it hangs (tried again in 1 min, by 'p2pdiag validate', or when the file changes)");
    place.shift(-20);
    CHECK_FALSE(place.cache().find_hung(place.plugin()));
}

TEST_CASE("a clock that is set back does not make a plugin hang for longer") {
    const Place place;
    place.remember_hung();
    place.shift(3600);
    CHECK_FALSE(place.cache().find_hung(place.plugin()));
}

TEST_CASE("another file in its place has not hung") {
    const Place place;
    place.remember_hung();
    place.write_plugin("something else");
    CHECK_FALSE(place.cache().find_hung(place.plugin()));
}
