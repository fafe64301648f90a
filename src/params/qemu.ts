/** The QEMU that runs machines where nothing else is said. */
export const DEFAULT_QEMU = 'qemu-system-x86_64'
