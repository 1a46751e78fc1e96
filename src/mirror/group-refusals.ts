// Answers of a group coordinator that more tries do not change.

const inconsistentGroupProtocol = 23
const invalidGroupId = 24
const invalidSessionTimeout = 26
const groupAuthorizationFailed = 30

/** Only another configuration helps. */
const needsConfiguration = new Set([invalidGroupId, invalidSessionTimeout])

/** Somebody may give the right, or take the other kind of members away: worth waiting, but not in a bounded run. */
const needsSomebody = new Set([groupAuthorizationFailed, inconsistentGroupProtocol])

/** Whether a mirror that has not joined yet ends at this answer. */
export function isHopeless(code: number, isBounded: boolean): boolean {
  return needsConfiguration.has(code) || (isBounded && needsSomebody.has(code))
}

const advice: ReadonlyMap<number, string> = new Map([
  [
    inconsistentGroupProtocol,
    'members of another kind are in the group: stop MirrorMaker everywhere. One that was killed stays until its ' +
      'session runs out, 45 seconds unless session.timeout.ms says otherwise'
  ],
  [groupAuthorizationFailed, 'grant READ on the group to the user of the source']
])

/** What an operator can do about it; undefined when the answer says all there is. */
export function adviceFor(code: number): string | undefined {
  return advice.get(code)
}
