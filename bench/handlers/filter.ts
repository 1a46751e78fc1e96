// A handler that looks at every value and drops none.

import type { Handler } from '../../src/transform/record.ts'

const filter: Handler = record => (record.value !== null && record.value.length > 0 ? record : null)
export default filter
