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
