#pragma once
// libfuse's low-level interface, at the version this code is written for (3.14; newer ones keep it).

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
