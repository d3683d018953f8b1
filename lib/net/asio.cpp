// The implementation of Boost.Asio, which the headers leave out (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
