/** What a reader of a qcow2 image must understand, by bit number (QEMU's `docs/interop/qcow2.rst`). */
const INCOMPATIBLE_FEATURES = [
  'dirty',
  'corrupt',
  'data-file',
  'compression-type',
  'extended-l2',
] as const

/** A feature that a reader must understand before it may open the image. */
export type IncompatibleFeature = (typeof INCOMPATIBLE_FEATURES)[number]

/** Splits the header's `incompatible_features` into those that we know and the numbers of the rest. */
export function readIncompatibleFeatures(bits: bigint): {
  incompatibleFeatures: IncompatibleFeature[]
  unknownFeatureBits: number[]
} {
  const isSet = (bit: number): boolean => ((bits >> BigInt(bit)) & 1n) === 1n
  const unknown = Array.from({ length: 64 }, (_, bit) => bit).slice(INCOMPATIBLE_FEATURES.length)
  return {
    incompatibleFeatures: INCOMPATIBLE_FEATURES.filter((_, bit) => isSet(bit)),
    unknownFeatureBits: unknown.filter(isSet),
  }
}
