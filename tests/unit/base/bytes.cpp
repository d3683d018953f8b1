#include "base/bytes.hpp"

#include <catch2/catch.hpp>

#include "base/text.hpp"

using namespace p2pdiag;

TEST_CASE("what is written in network order is read back") {
    ByteWriter writer;
    writer.u8(1);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    writer.u64(0x08090a0b0c0d0e0f);
    writer.zeros(1);
    writer.patch_u16(1, 0xFFFE);
    CHECK(writer.view()[3] == 4);
    const Bytes bytes = writer.take();
    ByteReader reader(bytes);
    CHECK(reader.u8() == 1);
    CHECK(reader.u16() == 0xFFFE);
    CHECK(reader.u32() == 0x04050607);
    CHECK(reader.u64() == 0x08090a0b0c0d0e0f);
    CHECK(reader.remaining() == 1);
    CHECK(reader.ok());
}

TEST_CASE("a read past the end gives zeros and stays an error") {
    const Bytes bytes = {1, 2, 3};
    ByteReader reader(bytes);
    CHECK(reader.u32() == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.remaining() == 0);
    CHECK(reader.u8() == 0);
    CHECK(reader.take(1).empty());
    CHECK(reader.take(0).empty());
    CHECK_FALSE(reader.ok());
}

TEST_CASE("text from outside is made printable") {
    CHECK(printable("Coturn-4.6") == "Coturn-4.6");
    CHECK(printable("a\x1b[31m\xff\n") == "a?[31m??");
    CHECK(printable("abcdef", 3) == "abc");
}
