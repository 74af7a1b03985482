/* Wine before 9 has no bcryptprimitives.dll, where Rust's standard library takes random numbers
 * from. This one stands in for it, beside the programs under test. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG size);

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T size)
{
    for (; size > 0x10000; buffer += 0x10000, size -= 0x10000)
        if (!SystemFunction036(buffer, 0x10000)) return FALSE;
    return SystemFunction036(buffer, (ULONG)size);
}
