import { defaultStoreRoot } from '../../store/layout.js'
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
 * @throws VmStatesError `STORE_UNUSABLE`, `STORE_NEWER`, `STORE_DAMAGED`, `ACCESS_DENIED`, `DISK_FULL`
 */
export async function storeSshKey(root: string = defaultStoreRoot()): Promise<SshKey> {
  await using store = await openStore(root)
  return await sshKeyOf(store)
}

/** The key pair of a store that is open. */
export async function sshKeyOf(store: Store): Promise<SshKey> {
  const { default: ssh2 } = await import('ssh2')
  const make = async () => ssh2.utils.generateKeyPairSync('ed25519', { comment: COMMENT }).private
  const privateKey = await store.sshKey(make)
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw parsed
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString('base64')} ${COMMENT}`
  return { privateKey, publicKey }
}
