import { VmStatesError } from '../../params/errors.js'
import { defaultStoreRoot, layoutOf } from '../../store/layout.js'
import { openStore, type Store } from '../../store/store.js'

/** The key pair of a store, which opens the guests of its states. */
export interface SshKey {
  /** In OpenSSH's own format, without a passphrase. */
  privateKey: string
  /** A line for a guest's `authorized_keys`. */
  publicKey: string
}

const COMMENT = 'vitest-vm-states'

/**
 * The key pair of a store, made when it is first asked for. Put its `publicKey` where a guest that is talked
 * to over ssh looks for keys; `cloudInit` and `firstBoot` of such a machine have it put there by themselves.
 *
 * @param root - the store's directory; the default store's unless given
 * @throws VmStatesError `STORE_UNUSABLE`, `STORE_NEWER`, `STORE_DAMAGED` (its key, too), `ACCESS_DENIED`, `DISK_FULL`
 */
export async function storeSshKey(root: string = defaultStoreRoot()): Promise<SshKey> {
  await using store = await openStore(root)
  return await sshKeyOf(store)
}

/** The key pair of a store that is open. */
export async function sshKeyOf(store: Store): Promise<SshKey> {
  const { default: ssh2 } = await import('ssh2')
  const privateKey = await store.sshKey(newPrivateKey)
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw unreadableKeyError(layoutOf(store.root).sshKey, parsed)
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString('base64')} ${COMMENT}`
  return { privateKey, publicKey }
}

/**
 * Makes a private key. Of every 256 key pairs of ed25519 that `ssh2` 1.17 makes, it cannot read one again, since it
 * leaves out the zero that the public key begins with (mscdex/ssh2#1513): such a one is made anew.
 *
 * @returns the key in OpenSSH's own format
 */
export async function newPrivateKey(): Promise<string> {
  const { default: ssh2 } = await import('ssh2')
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment: COMMENT })
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair.private
  }
}

function unreadableKeyError(path: string, cause: Error): VmStatesError {
  const text = `the private key of the store, ${path}, cannot be read: ${cause.message}`
  return new VmStatesError('STORE_DAMAGED', text, {
    cause,
    hint: 'Remove that file: another key is made, and states that are reached by ssh are built again.',
  })
}
