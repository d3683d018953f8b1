#include "base/lock.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "folder.hpp"

using namespace p2pdiag;
using disk::Lock;

TEST_CASE("a lock is had by one, who is known, and is free again afterwards") {
    const Folder folder;
    const auto path = folder.path() / "x.lock";
    CHECK_FALSE(Lock::holder(path));
    {
        const Lock::Taken mine = Lock::take(path);
        REQUIRE(mine.lock);
        CHECK(Lock::holder(path) == ::getpid());
        const Lock::Taken other = Lock::take(path);
        CHECK_FALSE(other.lock);
        CHECK(other.holder == ::getpid());
        // To look does not take.
        CHECK(Lock::holder(path) == ::getpid());
    }
    CHECK_FALSE(Lock::holder(path));
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(Lock::take(path).lock);
}

TEST_CASE("a process that is killed lets go") {
    const Folder folder;
    const auto path = folder.path() / "x.lock";
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const Lock::Taken taken = Lock::take(path);
        const char done = taken.lock ? 'y' : 'n';
        (void)!::write(ready[1], &done, 1);
        for (;;) ::pause();
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    CHECK(Lock::take(path).holder == child);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    // The file is left behind, and locks nobody out.
    CHECK(std::filesystem::exists(path));
    CHECK_FALSE(Lock::holder(path));
    CHECK(Lock::take(path).lock);
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("many who want it get it one after the other") {
    const Folder folder;
    const auto path = folder.path() / "x.lock";
    const auto count = folder.write("count", "0");
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        const pid_t child = ::fork();
        children.push_back(child);
        if (child != 0) continue;
        for (int done = 0; done < 50;) {
            const Lock::Taken taken = Lock::take(path);
            if (!taken.problem.empty()) ::_exit(1);
            if (!taken.lock) continue;
            int seen = 0;
            std::ifstream(count) >> seen;
            std::ofstream(count) << seen + 1;
            ++done;
        }
        ::_exit(0);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    int seen = 0;
    std::ifstream(count) >> seen;
    CHECK(seen == 200);
}

TEST_CASE("a place where nothing can be made is no lock") {
    const Folder folder;
    const Lock::Taken taken = Lock::take(folder.path() / "nowhere" / "x.lock");
    CHECK_FALSE(taken.lock);
    CHECK_FALSE(taken.problem.empty());
}
