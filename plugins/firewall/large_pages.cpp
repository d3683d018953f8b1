#include "large_pages.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace p2pdiag::firewall {

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;
constexpr std::size_t not_worth_it = std::size_t{1} << 20;
// What becomes of a byte of rules: its JSON as values, and the rules made of it.
constexpr std::size_t growth = 12;
// It is address space, taken as it is used.
constexpr std::size_t most_room = std::size_t{512} << 20;
// The largest that glibc takes: blocks below it come from the heap.
constexpr int largest_in_heap = 32 << 20;

}  // namespace

void prepare_memory(std::size_t bytes) {
    static std::size_t prepared = 0;
    if (bytes < not_worth_it || bytes <= prepared) return;
    prepared = bytes;
    const std::size_t room = std::min(bytes * growth, most_room);
    ::mallopt(M_MMAP_THRESHOLD, largest_in_heap);
    ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(most_room));
    ::mallopt(M_TOP_PAD, static_cast<int>(room));
    const auto begin = reinterpret_cast<std::uintptr_t>(::sbrk(0));
    // Makes the heap grow by the room.
    std::free(std::malloc(large_page));
    const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
    const std::uintptr_t first = (begin + large_page - 1) / large_page * large_page;
    if (end <= first) return;
    ::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

}  // namespace p2pdiag::firewall
