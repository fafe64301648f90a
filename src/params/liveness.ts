/** A disk state is of a machine that is off; a live state has disks, RAM and devices. */
export type Liveness = 'disk' | 'live'
