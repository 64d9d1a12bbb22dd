/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random code, registers, requests and holds: nothing out of bounds, every step ends or is
 * held, and an image taken at any moment is accepted again.
 */
#include "tests/z8000/bench.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct bench bench;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u8 image[Z8000_IMAGE_BYTES];

    if (!bench.memory)
        bench_open(&bench);
    if (size < 40)
        return 0;
    bench_cpu(&bench, data[0] & 1);
    bench.hold = data[0] & 2 ? HOLD_ALL : HOLD_NONE;
    bench.cpu.fcw = (u16)((data[1] << 8 | data[2]) & (data[0] & 1 ? 0x7fff : 0xffff));
    for (size_t n = 0; n < 16; n++)
        bench.cpu.r[n] = (u16)(data[3 + 2 * n] << 8 | data[4 + 2 * n]);
    bench.cpu.lines = data[35] & 15;
    bench.cpu.pc = 0x4000;
    for (size_t i = 36; i < size && i < 512; i++)
        bench_store(&bench, (u32)(0x4000 + i - 36), data[i]);
    for (unsigned n = 0; n < 40; n++) {
        z8000_step(&bench.cpu);
        z8000_export(&bench.cpu, image);
        if (!z8000_import(&bench.cpu, image))
            abort();
    }
    bench_undo(&bench);
    return 0;
}
