/**
 * Every error that this package throws on purpose, in one place: its code, the exit code that the
 * `states` command ends with, and what it means. `docs/errors.md` is checked against this table.
 *
 * Exit codes: 1 missing or refused by a policy, 2 bad usage or input, 3 a tool or machine failed.
 */
export const errorCodes = {
  // params
  INVALID_VALUE: { exit: 2, means: 'a value that was written by a user is not of the right form' },
  INVALID_NAME: { exit: 2, means: 'a name has characters, or a length, that names may not have' },
  INVALID_CONFIG: { exit: 2, means: 'the configuration file cannot be loaded or is not valid' },
  UNSUPPORTED_HOST: { exit: 2, means: 'this operating system cannot do what was asked' },
  // qemu: machines
  QEMU_MISSING: { exit: 3, means: 'the QEMU binary cannot be found or run' },
  QEMU_EXITED: { exit: 3, means: 'QEMU ended before, or otherwise than, it was asked to' },
  TPM_MISSING: { exit: 3, means: 'a machine has a TPM, and swtpm cannot be found or run' },
  WRAPPER_STAYS: { exit: 2, means: "a machine's wrapper did not become QEMU, but runs it" },
  DISK_UNREADABLE: { exit: 3, means: 'a file that a machine starts from cannot be opened' },
  QMP_COMMAND_FAILED: { exit: 3, means: 'QEMU answered a command, or ended a job, with an error' },
  QMP_CONNECTION_LOST: {
    exit: 3,
    means: 'the connection to QEMU ended while something waited on it',
  },
  GUEST_NOT_SHUT_DOWN: { exit: 3, means: 'the guest did not power itself off cleanly' },
  PORT_FORWARD_FAILED: { exit: 3, means: 'a port of the guest cannot be forwarded to the host' },
  HOT_PLUG_FAILED: {
    exit: 3,
    means: 'a running machine has no room for a device, or its guest does not let go of one',
  },
  NO_DISPLAY: {
    exit: 2,
    means: 'a machine without a graphics card has nothing that could be shown',
  },
  // qemu-img, qcow2, snapshot lists
  QEMU_IMG_MISSING: { exit: 3, means: 'qemu-img is not installed, or not in PATH' },
  QEMU_IMG_FAILED: { exit: 3, means: 'a qemu-img command failed; the error carries its output' },
  IMAGE_MISSING: { exit: 2, means: 'there is no image at the given path' },
  IMAGE_NOT_QCOW2: { exit: 2, means: 'the file is not a qcow2 image of a version that is known' },
  IMAGE_DAMAGED: { exit: 2, means: 'the image is truncated or corrupt' },
  IMAGE_IN_USE: { exit: 2, means: 'another process, mostly a running QEMU, has the image open' },
  IMAGE_CHANGED: {
    exit: 2,
    means: 'an image was written to after a command on it had been killed, which is to be undone',
  },
  SNAPSHOT_LIST_UNREADABLE: { exit: 3, means: 'the list of snapshots cannot be read reliably' },
  // store
  STORE_UNUSABLE: { exit: 2, means: 'the path of the store is not a directory that can be used' },
  STORE_NEWER: { exit: 2, means: 'the store was written by a newer version of this package' },
  STORE_DAMAGED: { exit: 3, means: 'a file in the store is not what this package wrote there' },
  OBJECT_MISSING: { exit: 1, means: 'an object that was asked for is not in the store' },
  OBJECT_IN_USE: { exit: 1, means: 'an object cannot be removed since something stands on it' },
  LOCK_LOST: { exit: 3, means: 'another process took over a lock that this one held' },
  // states
  DUPLICATE_NAME: { exit: 2, means: 'two machines, or two states of one machine, have one name' },
  SETUP_SOURCE: { exit: 2, means: "a state's setup is in no file, so that no key can be made" },
  SETUP_CAPTURE: {
    exit: 2,
    means: 'a setup uses a variable around it that its inputs do not name',
  },
  SETUP_IMPORT: { exit: 2, means: 'a setup reaches an import that cannot be found' },
  INPUT_FILE: {
    exit: 2,
    means:
      'a file that a state names in its inputs cannot be read, or has changed during the build',
  },
  REFRESH_FAILED: { exit: 3, means: "a state's refresh failed, or gave what is no JSON" },
  STATE_MISSING: { exit: 1, means: 'there is no state of that name' },
  STATE_EXISTS: { exit: 1, means: 'a policy refuses to go on since the state exists already' },
  STATE_NOT_BUILT: {
    exit: 1,
    means: 'a state is not in the store, or out of date, and builds are off',
  },
  BUILD_FAILED: {
    exit: 3,
    means: 'a state could not be built; the error names the step and the log',
  },
  MACHINE_TOO_LARGE: {
    exit: 2,
    means: 'machines need more memory, or are more, than may run at once on this host',
  },
  STATE_IS_LIVE: { exit: 2, means: 'a live state was given where only a disk state can be used' },
  OUTPUT_EXISTS: { exit: 2, means: 'the file that is to be written exists already' },
  STATE_HAS_CHILDREN: { exit: 1, means: 'a state cannot be removed since others stand on it' },
  INVALID_POLICY: { exit: 2, means: 'an operation does not know a policy' },
  IDENTITY_NOT_FRESH: {
    exit: 3,
    means: 'a restored guest could not be given an identity of its own',
  },
  AFTER_RESTORE_FAILED: { exit: 3, means: 'the afterRestore of a machine failed' },
  // backends: live
  MACHINE_NOT_RUNNING: { exit: 2, means: 'a live state was to be set or got without a machine' },
  DISK_NOT_IN_MACHINE: { exit: 2, means: 'a disk is none of the drives of the running machine' },
  STATE_NOT_LOADED: { exit: 3, means: 'QEMU cannot load the device state of a live state' },
  SAVE_BLOCKED: { exit: 3, means: 'a machine has drives or devices that a live state cannot keep' },
  // cli
  USAGE: { exit: 2, means: 'the command line is not understood' },
  STATE_AMBIGUOUS: { exit: 2, means: 'more than one backend has a state of this name' },
  STATE_UNKNOWN: { exit: 2, means: 'the configuration defines no machine or state of that name' },
  SETUP_ONLY: { exit: 2, means: 'a state of the configuration is only made by its setup' },
  UNEXPECTED: { exit: 3, means: 'an error that nobody foresaw, most likely in this package' },
  // any folder
  ACCESS_DENIED: { exit: 2, means: 'the user may not read or write a file that is needed' },
  DISK_FULL: { exit: 3, means: 'a file cannot be written since no space is left' },
  ABORTED: { exit: 3, means: 'the caller cancelled the operation' },
  TIMEOUT: { exit: 3, means: 'an operation did not end within its deadline' },
  // images
  TOOL_MISSING: {
    exit: 3,
    means: 'a program that this package runs is not installed on this host',
  },
  TOOL_FAILED: { exit: 3, means: 'a program that makes an image ended with an error' },
  IMAGE_FORMAT_UNCLEAR: {
    exit: 2,
    means: 'nothing says, or two things disagree, which format an image has',
  },
  IMAGE_UNSUPPORTED: {
    exit: 2,
    means: 'an image needs something that this package does not handle',
  },
  IMAGE_UNTRUSTED: {
    exit: 2,
    means: 'the header of a downloaded image asks for more than its own bytes',
  },
  DOWNLOAD_FAILED: { exit: 3, means: 'a file could not be downloaded' },
  CHECKSUM_MISMATCH: { exit: 3, means: 'a downloaded file is not the one that the checksum is of' },
  TINY_UNAVAILABLE: { exit: 3, means: 'the built-in guest cannot be made on this host' },
  FIRMWARE_MISSING: {
    exit: 3,
    means: 'this host has no UEFI firmware that fits the machine type',
  },
  // guest
  GUEST_AGENT_MISSING: { exit: 3, means: 'no guest agent answered within the deadline' },
  GUEST_AGENT_SILENT: { exit: 3, means: 'the guest agent stopped answering' },
  GUEST_CONSOLE_MISSING: {
    exit: 3,
    means: 'nobody could be logged in on the serial console within the deadline',
  },
  GUEST_SSH_MISSING: { exit: 3, means: 'no sshd of the guest answered within the deadline' },
  GUEST_SSH_REFUSED: { exit: 3, means: 'sshd of the guest did not let this package in' },
  GUEST_SSH_LOST: { exit: 3, means: 'the ssh connection ended while a command ran' },
  SSH_HOST_KEY_CHANGED: {
    exit: 3,
    means: 'the guest has another host key of ssh than its state was built with',
  },
  GUEST_NOT_READY: { exit: 3, means: "the guest's init system did not bring it up in time" },
  GUEST_AGENT_REFUSED: { exit: 3, means: 'the guest agent refused a command' },
  GUEST_COMMAND_FAILED: { exit: 3, means: 'a command in the guest failed or was killed' },
  GUEST_OUTPUT_TRUNCATED: { exit: 3, means: 'a command printed more than the guest agent keeps' },
  GUEST_FILE_FAILED: { exit: 3, means: 'a file in the guest cannot be read or written' },
  HOST_FILE_FAILED: { exit: 3, means: 'a file of the host cannot be copied to or from a guest' },
  GUEST_SERVICE_MISSING: { exit: 2, means: 'the guest has no service of that name' },
  GUEST_SERVICE_FAILED: { exit: 3, means: 'a service of the guest failed instead of running' },
  GUEST_LOGIN_FAILED: { exit: 3, means: 'nobody could log in on the serial console' },
  GUEST_CONSOLE_LIMIT: { exit: 3, means: 'more was to go over the serial console than it carries' },
  GUEST_CONSOLE_LOST: { exit: 3, means: 'the shell on the serial console has ended, or is deaf' },
  GUEST_GONE: { exit: 3, means: 'the machine is not running, or ended during a call' },
  GUEST_RESTORED: { exit: 3, means: 'the machine was restored to a state during a call' },
  GUEST_REBOOTED: { exit: 3, means: 'the guest was reset, and boots anew, during a call' },
  GUEST_RELEASED: { exit: 3, means: 'a machine was used after its test or setup had ended' },
} as const satisfies Record<string, { exit: 1 | 2 | 3; means: string }>

/** The code of an error, as `docs/errors.md` lists it. */
export type ErrorCode = keyof typeof errorCodes
