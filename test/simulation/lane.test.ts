// Lanes between models of a source and of a target broker, run by a mirror that dies and comes back, over many
// random histories; and the same with deliberate faults in the code, each of which the simulation must notice.
//
// A seed that fails is told again, step by step, by: build/native-tests/lane-simulation-<hash> --seed N

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildProgram, type Mutation, type ProgramSource, run } from '../support/native-program.ts'

const source: ProgramSource = {
  files: [
    'test/simulation/lane_simulation.cc',
    'test/simulation/lane_world.cc',
    'test/simulation/mirror.cc',
    'test/simulation/mirror_start.cc',
    'test/simulation/resume_search.cc',
    'test/simulation/ledger.cc',
    'test/simulation/scene.cc',
    'test/simulation/target_partition.cc',
    'src/native/lane.cc',
    'src/native/resume.cc',
    'src/native/lane_reason.cc',
    'src/native/error_rules.cc',
    'src/native/batch_header.cc',
    'src/native/crc32c_patch.cc'
  ],
  flags: ['-O2', '-g0']
}
const sanitized = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/** What a run must have met with to have shown anything. */
const facts = [
  'losses',
  'resets',
  'doubled',
  'wraps',
  'crashes',
  'zombies',
  'unclean cuts',
  'two mirrors',
  'rebuilt',
  'trimmed',
  'begun anew',
  'exact',
  'wait',
  'unknown',
  'went back',
  'passed over',
  'refused',
  'damaged',
  'deletions',
  'gaps skipped',
  'gap stops',
  'diverged',
  'compacted',
  'begun behind',
  'merged',
  'taken apart'
]

test('20,000 random histories break no rule', async t => {
  const program = await buildProgram('lane-simulation', source)
  // Known seeds keep a run repeatable; a day's own seeds find what they do not.
  const today = Math.floor(Date.now() / 86_400_000) * 100_000
  for (const first of [1, today]) {
    const { exitCode, output } = await run(program, ['--first', `${first}`, '--count', '10000'])
    t.diagnostic(output.trim())
    assert.equal(exitCode, 0, output)
    for (const fact of facts) assert.ok(countOf(output, fact) > 0, `no ${fact} in ${output}`)
  }
})

test('a thousand histories run clean under AddressSanitizer and UBSan', async () => {
  const program = await buildProgram('lane-simulation-asan', { ...source, flags: sanitized })
  const { exitCode, output } = await run(program, ['--count', '1000'])
  assert.equal(exitCode, 0, output)
})

test('one seed gives one history, told step by step', async () => {
  const program = await buildProgram('lane-simulation', source)
  const [first, second] = [await run(program, ['--seed', '7']), await run(program, ['--seed', '7'])]
  assert.equal(first.output, second.output)
  assert.match(first.output, /lane 0: mirror 0 sends piece/)
})

const mutations: Record<string, Mutation> = {
  'the checkpoint moves on any acknowledgement': inLane('if (is_oldest) {', 'if (true) {'),
  'a batch sent again gets a new sequence': inLane(
    'if (slot.sequence < 0 && options_.is_idempotent) {',
    'if (true) {'
  ),
  'a failed window does not wait until all of it is answered': inLane(
    '    if (in_flight_ > 0) return;\n    for',
    '    for'
  ),
  'the first batch is not alone': inLane('known_until_ >= 0 && IsFresh(known_until_, now)', 'true'),
  'old batches are not alone': inLane(
    'return timestamp > now.wall_ms - (options_.producer_expiry_ms - kExpiryMarginMs);',
    'return timestamp > now.wall_ms * 0 - 1;'
  ),
  'the window has no limit': inLane(
    'if (in_flight_ >= options_.max_in_flight || !options_.is_idempotent) return false;',
    ''
  ),
  'skipped batches move the checkpoint at once': inLane(
    'End() = {batch.next_offset, batch.leader_epoch};',
    'checkpoint_ = {batch.next_offset, batch.leader_epoch};'
  ),
  'skipped batches behind a slot are forgotten': inLane(
    'End() = {batch.next_offset, batch.leader_epoch};',
    'if (slots_.empty()) checkpoint_ = {batch.next_offset, batch.leader_epoch};'
  ),
  'a fresh producer goes on with the old sequences': inLane('        slot.sequence = -1;\n', ''),
  'a reset names nothing as double': inLane('            reset.to = slot.last_offset + 1;\n', ''),
  'sequences wrap too early': inLane('kSequenceMask = 0x7fffffff', 'kSequenceMask = 0x3fffffff'),
  'sequences do not start at 0 after a reset': inLane('    next_sequence_ = 0;\n', ''),
  'a lost Fetch is never asked again': inLane(
    'void Lane::FetchLost(Moment now) {\n    is_fetching_ = false;',
    'void Lane::FetchLost(Moment now) {'
  ),
  'a refused sequence is only tried again': inLane('            reset_code_ = code;\n', ''),
  'an unanswered batch is taken for never sent': inLane(
    'slots_[i].may_be_written |= failed_may_be_written_;',
    '(void)i;'
  ),
  'a window is sent again from its second batch': inLane(
    '    failed_may_be_written_ = false;\n    next_send_ = 0;\n',
    '    failed_may_be_written_ = false;\n    next_send_ = slots_.size() > 1;\n'
  ),
  'the end of what was let go still counts as proved': inLane(
    '        is_end_proved_ = false;\n',
    ''
  ),
  'batches let go are not fetched again': inLane('        next_ = End();\n', ''),
  'the checkpoint is the end of the slot, not of what it covers': inLane(
    '    checkpoint_ = slot.end;\n    if (options_',
    '    checkpoint_ = {slot.last_offset + 1, -1};\n    if (options_'
  ),
  'a checkpoint is told without its sequence': inLane(
    '    if (options_.is_idempotent) checkpoint_sequence_ = Advance(slot.sequence, slot.record_count);\n',
    ''
  ),
  'the first batch after a resume is not alone': inLane(
    '    target_end_ = options.target_end;\n',
    '    target_end_ = options.target_end;\n    if (options.sequence > 0) known_until_ = INT64_MAX;\n'
  ),
  'what has arrived gets no sequences': inLane(
    'next_sequence_ = Advance(options.sequence, options.arrived);',
    'next_sequence_ = options.sequence;'
  ),
  'a batch that is passed over counts twice': inLane(
    'still_arrived_ -= slot.record_count;',
    'still_arrived_ -= 2 * int64_t{slot.record_count};'
  ),
  'a batch that is passed over takes no sequences': inLane(
    '        checkpoint_sequence_ = Advance(checkpoint_sequence_, slot.record_count);\n',
    ''
  ),
  'what was left out of a rebuilt batch is left out again': inLane(
    '    still_arrived_ -= skipped;\n',
    ''
  ),
  'what was left out of a rebuilt batch takes no sequences': inLane(
    '    checkpoint_sequence_ = Advance(checkpoint_sequence_, skipped);\n',
    ''
  ),
  'what was left out of a rebuilt batch comes again when it was let go': inLane(
    '        if (skipped > 0) checkpoint_ = {batches.front().first_offset, old.leader_epoch};\n',
    ''
  ),
  'a part of a rebuilt batch ends as all of it does': inLane(
    '            slot.end = {batch.last_offset + 1, old.leader_epoch};\n',
    ''
  ),
  'an old batch without an answer is sent again unasked': inLane(
    '        if (!IsFresh(slot.max_timestamp, now)) return true;\n',
    '        if (!IsFresh(slot.max_timestamp, now)) return false;\n'
  ),
  'a target that went back is not noticed': inLane(
    'if (IsBackwards(base_offset)) {',
    'if (false && IsBackwards(base_offset)) {'
  ),
  'a gap is skipped under the old producer': inLane(
    '        producer_id_ = -1;\n        reset_code_ = 0;\n',
    ''
  ),
  'what had arrived of a gap is passed over again': inLane('    still_arrived_ -= assumed;\n', ''),
  'a gap is skipped while batches are under way': inLane(
    'if (options_.skips_gaps && !slots_.empty()) {',
    'if (false) {'
  ),
  'a refused batch keeps its sequences': inLane(
    '    for (Slot& later : slots_) later.sequence = -1;\n',
    ''
  ),
  'a Fetch that is out when all is forgotten still counts': inLane(
    'is_fetch_stale_ = is_fetching_;',
    'is_fetch_stale_ = false;'
  ),
  'an end that is told too early is believed': inLane(
    'if (ends_too_early_ < kOutOfRangeTries || !is_lasting) return;',
    'if (ends_too_early_ < 0 && !is_lasting) return;'
  ),
  'the checkpoint behind a merged batch is that of its first part': inLane(
    '        merged.end = slot.end;\n',
    ''
  ),
  'a merged batch that cannot be made is dropped': inLane(
    '    if (!slots_[index].parts.empty()) return TakeApart(index);\n    stop_reason_',
    '    if (!slots_[index].parts.empty())\n        return void(slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(index)));\n    stop_reason_'
  ),
  'skipped batches behind a merged one are forgotten when it is taken apart': inLane(
    '    merged.parts.back().end = merged.end;\n',
    ''
  ),
  'a refused merged batch is only tried again': inLane('        takes_apart_ = true;\n', ''),
  'one record too few has arrived': inResume('(last) + 1 -', '(last) -'),
  'one record too many has arrived': inResume('(last) + 1 -', '(last) + 2 -'),
  'the leader is believed before its followers': inResume(
    'if (at_leader > in_tail) return {ResumeVerdict::kWait};',
    'if (at_leader > in_tail) return Exact(at_leader);'
  ),
  'nobody waits for followers where the tail is empty': inResume(
    '    if (is_known) return {ResumeVerdict::kWait};\n',
    ''
  ),
  'the start of the log is ignored': inResume(
    '    if (pair.target_end < 0 || facts.log_start > pair.target_end) return {ResumeVerdict::kUnknown};\n',
    ''
  ),
  'a tail that was not looked through is taken for empty': inResume(
    '    if (!facts.is_tail_known) return {ResumeVerdict::kLookOn};\n',
    ''
  ),
  'an end before the pair is ignored': inResume(
    '    if (facts.high_watermark < pair.target_end) return {ResumeVerdict::kWentBack};\n',
    ''
  ),
  'a leader that knows of nothing new is not believed': inResume(
    '    if (is_known && at_leader == 0) return Exact(0);\n',
    ''
  ),
  'records without room on the target are passed over': inResume(
    '        if (!has_room) return {ResumeVerdict::kWentBack};\n',
    '        (void)has_room;\n'
  ),
  'a leader that is replaced has taken nothing': {
    file: 'src/native/error_rules.cc',
    from: '        case code::kNotLeaderOrFollower:\n        case code::kKafkaStorageError:',
    to: '        case code::kNotLeaderOrFollower:\n            return {kRetry, kNotLeader, true, false};\n        case code::kKafkaStorageError:'
  }
}

describe('the simulation notices when', { concurrency: 2 }, () => {
  for (const [name, mutation] of Object.entries(mutations)) {
    test(name, async t => {
      const program = await buildProgram('lane-mutant', { ...source, mutation })
      const { exitCode, output } = await run(program, ['--count', '400000'])
      t.diagnostic(output.trim())
      assert.equal(exitCode, 1, output)
      assert.match(output, /^seed \d+: /m)
    })
  }
})

function inLane(from: string, to: string): Mutation {
  return { file: 'src/native/lane.cc', from, to }
}

function inResume(from: string, to: string): Mutation {
  return { file: 'src/native/resume.cc', from, to }
}

function countOf(output: string, fact: string): number {
  return Number(new RegExp(`${fact} (\\d+)`).exec(output)?.[1])
}
