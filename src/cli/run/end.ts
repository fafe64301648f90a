/** How looking at machines ended: by the user's wish, by a signal, or with the guest. */
export type End = 'left' | 'interrupted' | 'off'
