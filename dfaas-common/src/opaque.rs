//! Keeping bounds checks visible to the verifier.

/// The same value, hidden from the optimiser.
///
/// LLVM removes a mask or comparison that it can prove redundant, and the kernel's verifier, which proves less, then
/// refuses the access. Behind this barrier LLVM knows nothing, so the mask stays. Elsewhere there is no verifier and nothing
/// to hide.
#[inline(always)]
#[must_use]
pub fn opaque(value: u32) -> u32 {
    opaque64(value as u64) as u32
}

/// As [`opaque`], for a whole register.
#[inline(always)]
#[must_use]
pub fn opaque64(value: u64) -> u64 {
    #[cfg(target_arch = "bpf")]
    {
        let mut hidden = value;
        // SAFETY: a move of a register to itself. (No instruction at all would do, but then two lines of debug
        // information fall on one offset, which the kernel refuses.)
        unsafe { core::arch::asm!("{0} = {0}", inout(reg) hidden, options(pure, nomem, nostack)) };
        hidden
    }
    #[cfg(not(target_arch = "bpf"))]
    value
}
