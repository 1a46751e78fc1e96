// What the stub source serves: one record batch, repeated in every partition, with the base offset
// advanced. Only those 8 bytes differ, so they are kept apart and everything else is sent from the
// same, cache-warm memory.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

class SourceLog {
   public:
    // Ends the process when the file is not one whole batch.
    SourceLog(const std::string& batch_file, int64_t batches_per_partition);

    int64_t batch_bytes() const { return static_cast<int64_t>(batch_.size()); }
    int64_t batches() const { return batches_; }
    int64_t end_offset() const { return batches_ * records_per_batch_; }
    int64_t BatchAt(int64_t offset) const { return offset / records_per_batch_; }

    // Appends `count` batches from number `first` on. `base_offsets` must have room for `count`
    // more, since the parts point into it.
    void Append(int64_t first, int64_t count, std::vector<uint64_t>& base_offsets,
                std::vector<iovec>& parts) const;

   private:
    std::string batch_;
    int64_t batches_;
    int64_t records_per_batch_;
};

}  // namespace bench
