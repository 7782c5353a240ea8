#pragma once
// The first request of a mount, in which kernel and daemon agree on what they can.

#include "fuse/fuse_api.hpp"

namespace geogrid {

/// Whether the request that lies in the buffer is that one.
bool is_handshake(const fuse_buf& request);

/// Has libfuse answer it, and adds to the answer that whoever serves the mount takes set-id bits away from
/// files that are written, truncated or given away (FUSE_HANDLE_KILLPRIV_V2): the kernel then need not ask
/// for security.capability before each write. libfuse knows that flag from 3.17 on only, so its answer is
/// caught on its way. False where the kernel does not offer it, or nothing could be caught: then the kernel
/// takes the bits away itself, and asks.
bool answer_handshake(fuse_session* session, const fuse_buf& request);

}  // namespace geogrid
