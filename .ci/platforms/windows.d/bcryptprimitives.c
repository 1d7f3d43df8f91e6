/*
 * bcryptprimitives.c - stand-in for the DLL of that name under wine
 *
 * Go's runtime loads it from system32 at start, for ProcessPrng; wine 8 has
 * none. RtlGenRandom, which advapi32 exports as SystemFunction036, does the
 * same. For tests under wine only.
 */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

#define MOST	0x10000000	/* bytes a call: the length is 32 bits wide */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
	ULONG n;

	for (; size; data += n, size -= n) {
		n = size > MOST ? MOST : (ULONG)size;
		if (!SystemFunction036(data, n))
			return FALSE;
	}
	return TRUE;
}
