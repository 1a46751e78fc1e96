#include "routed_lane.h"

#include <algorithm>
#include <numeric>

namespace heliostat {

size_t AnswerIndex::Take(std::string_view topic, int32_t partition) {
    const Key key{topic, partition};
    size_t found = keys_.size();
    if (next_ < keys_.size() && keys_[next_] == key) {
        found = next_;
    } else {
        if (sorted_.empty()) {
            sorted_.resize(keys_.size());
            std::iota(sorted_.begin(), sorted_.end(), 0u);
            std::sort(sorted_.begin(), sorted_.end(),
                      [this](uint32_t a, uint32_t b) { return keys_[a] < keys_[b]; });
        }
        const auto at =
            std::lower_bound(sorted_.begin(), sorted_.end(), key,
                             [this](uint32_t entry, const Key& k) { return keys_[entry] < k; });
        if (at != sorted_.end() && keys_[*at] == key) found = *at;
    }
    if (found == keys_.size()) return found;
    next_ = found + 1;
    taken_.resize(keys_.size());
    if (taken_[found]) return keys_.size();
    taken_[found] = true;
    return found;
}

}  // namespace heliostat
