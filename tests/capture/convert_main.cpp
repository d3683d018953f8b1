// capture_convert IN OUT: reads a capture and writes it as pcapng, with a comment beside each
// packet: for tests that have other programs read what we write.
#include <fcntl.h>

#include <cstdio>
#include <string>

#include "base/fd.hpp"
#include "capture/pcapng_writer.hpp"
#include "capture/reader.hpp"

using namespace p2pdiag;

int main(int count, char** arguments) {
    if (count != 3) return 2;
    Fd input(::open(arguments[1], O_RDONLY | O_CLOEXEC));
    const Fd output(::open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!input.open() || !output.open()) return 2;
    auto reader = capture::Reader::open(capture::input_of(std::move(input)));
    if (!reader) return 2;
    Bytes bytes;
    capture::append_section(bytes, {"capture_convert", "", {"converted"}});
    std::size_t interfaces = 0;
    capture::Packet packet;
    while (reader->next(packet)) {
        for (; interfaces < reader->interfaces().size(); ++interfaces) {
            capture::append_interface(bytes, reader->interfaces()[interfaces]);
        }
        const std::string text = "packet " + std::to_string(packet.number) + " of the original";
        const std::string_view comments[] = {text};
        packet.comments = comments;
        capture::append_packet(bytes, packet);
    }
    return write_all(output.get(), as_text(bytes)) ? 0 : 1;
}
