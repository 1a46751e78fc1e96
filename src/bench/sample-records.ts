// Owns the records that benchmarks move: JSON documents of one exact size that compress as real ones do. The same seed
// gives the same records on every machine.

const words = (
  'account address amount batch billing branch carrier cart channel charge city claim colour contract country coupon ' +
  'customer delivery deposit discount driver email exchange express fragile gift handling hold home invoice item late ' +
  'ledger limit local loyalty manual market meter mobile morning note office online order parcel partner payment phone ' +
  'pickup plan postal price priority product promise quantity quote rate receipt refund region repeat return route sale ' +
  'season seller service shelf shipment signed sku store supplier tariff tax ticket token tracking transfer transit unit ' +
  'urgent value van vendor voucher warehouse weekend weight wholesale window zone'
).split(' ')

export const leastRecordBytes = 600

/** `count` documents, each of exactly `bytes` bytes (`leastRecordBytes` or more) and without a line end. */
export function sampleRecords(count: number, bytes: number, seed = 1): string[] {
  const random = makeRandom(seed)
  return Array.from({ length: count }, (_, index) => sampleRecord(index, bytes, random))
}

function sampleRecord(index: number, bytes: number, random: () => number): string {
  const pick = (below: number) => Math.floor(random() * below)
  const order = {
    orderId: `${(1e9 + index * 7 + pick(7)).toString(36)}-${hex(random)}`,
    placedAt: new Date(1.7e12 + index * 137 + pick(137)).toISOString(),
    customer: { id: pick(5e6), segment: words[pick(8)], email: `${hex(random)}@example.com` },
    status: ['placed', 'paid', 'packed', 'sent', 'returned'][pick(5)],
    currency: ['EUR', 'USD', 'GBP', 'SEK'][pick(4)],
    items: Array.from({ length: 2 + pick(2) }, () => ({
      sku: `${hex(random).slice(0, 6)}-${pick(1e4)}`,
      name: `${words[pick(words.length)]} ${words[pick(words.length)]}`,
      quantity: 1 + pick(9),
      price: pick(1e6) / 100
    })),
    trace: `${hex(random)}${hex(random)}${hex(random)}${hex(random)}`,
    note: ''
  }
  const room = bytes - JSON.stringify(order).length
  if (room < 0) throw new Error(`a sample record needs ${bytes - room} bytes, asked for ${bytes}`)
  while (order.note.length < room) order.note += `${words[pick(words.length)]} `
  order.note = order.note.slice(0, room)
  return JSON.stringify(order)
}

function hex(random: () => number): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}

// Mulberry32: small, and good enough for sample text.
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
