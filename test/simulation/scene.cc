#include "scene.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace heliostat::simulation {
namespace {

constexpr int16_t kNotLeader = 6;
constexpr int16_t kTooLarge = 10;
constexpr int16_t kInvalidRecord = 87;
constexpr int16_t kCorruptMessage = 2;
// Told of one batch, while the next is taken.
constexpr int16_t kPassing[] = {19, 74, 89};

}  // namespace

void Scene::Trace(const char* format, ...) {
    if (!is_traced) return;
    va_list arguments;
    va_start(arguments, format);
    std::printf("%10ld ms  ", static_cast<long>(now_ms));
    std::vprintf(format, arguments);
    std::printf("\n");
    va_end(arguments);
}

void Scene::Produce(Request& request) {
    for (Request::Entry& entry : request.entries) {
        Track& track = tracks[entry.track];
        const auto batches = track.source.SentBatches(entry.first_piece, entry.pieces);
        const auto is_any = [&](bool SourceBatch::* what) {
            return std::any_of(batches.begin(), batches.end(),
                               [&](const SourceBatch* batch) { return batch->*what; });
        };
        const bool is_rebuilt = SourcePartition::IsRebuilt(entry.batch.data);
        if (track.leader != static_cast<int>(request.broker)) {
            entry.answer = {.code = kNotLeader};
        } else if (is_any(&SourceBatch::is_refused)) {
            entry.answer = {.code = kTooLarge};
        } else if (is_any(&SourceBatch::needs_rebuilding) && !is_rebuilt) {
            entry.answer = {.code = kInvalidRecord};
            totals.refused++;
        } else if (is_any(&SourceBatch::is_damaged) && !is_rebuilt) {
            entry.answer = {.code = kCorruptMessage};
            batches.front()->is_damaged = false;
            batches.front()->was_damaged = true;
            totals.damaged++;
        } else if (HasFault() && Chance(random, 10)) {
            entry.answer = {.code = OneOf(random, kPassing)};
        } else {
            entry.answer = track.target.Produce(
                {.stamp = entry.batch.stamp,
                 .record_count = track.source.RecordsOf(entry.first_piece, entry.pieces),
                 .max_timestamp = track.source.MaxTimestampOf(entry.first_piece, entry.pieces),
                 .first_piece = entry.first_piece,
                 .pieces = entry.pieces},
                wall_ms);
        }
        Trace("lane %zu: broker %zu answers piece %d with %d%s", entry.track, request.broker,
              entry.first_piece, entry.answer.code, entry.answer.is_appended ? ", appended" : "");
        if (!entry.answer.is_appended) continue;
        // A lane that asks nobody cannot know what the target has forgotten.
        const bool is_excused = !resumes && entry.answer.is_past_expiry;
        totals.doubled += track.ledger.NoteAppended(track.target.log().back(), is_excused);
    }
}

void Scene::CarryZombie() {
    if (zombies.empty()) return;
    totals.zombies++;
    Trace("a request without a sender arrives");
    Produce(zombies.front());
    zombies.pop_front();
}

}  // namespace heliostat::simulation
