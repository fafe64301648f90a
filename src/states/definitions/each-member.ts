/**
 * Does something for every member at once, and waits until all are done, whatever becomes of one.
 *
 * @throws what the first of the members that failed did
 */
export async function eachMember<Value, Result>(
  members: Readonly<Record<string, Value>>,
  work: (value: Value, member: string) => Promise<Result>,
): Promise<Record<string, Result>> {
  const entries = Object.entries(members).map(
    async ([member, value]) => [member, await work(value, member)] as const,
  )
  await Promise.allSettled(entries)
  return Object.fromEntries(await Promise.all(entries))
}
