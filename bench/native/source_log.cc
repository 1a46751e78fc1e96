#include "source_log.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "batch_header.h"

namespace bench {

SourceLog::SourceLog(const std::string& batch_file, int64_t batches_per_partition)
    : batches_(batches_per_partition) {
    std::ifstream file(batch_file, std::ios::binary);
    batch_.assign(std::istreambuf_iterator<char>(file), {});
    if (batch_.size() < kBatchHeaderBytes ||
        BatchHeader(batch_.data()).size != static_cast<int64_t>(batch_.size()) ||
        BatchHeader(batch_.data()).magic != 2) {
        std::fprintf(stderr, "%s: expected one whole record batch of magic 2\n",
                     batch_file.c_str());
        std::exit(1);
    }
    records_per_batch_ = BatchHeader(batch_.data()).last_offset_delta + 1;
}

void SourceLog::Append(int64_t first, int64_t count, std::vector<uint64_t>& base_offsets,
                       std::vector<iovec>& parts) const {
    char* rest = const_cast<char*>(batch_.data()) + kBaseOffsetBytes;
    for (int64_t number = first; number < first + count; ++number) {
        base_offsets.push_back(htobe64(static_cast<uint64_t>(number * records_per_batch_)));
        parts.push_back({&base_offsets.back(), kBaseOffsetBytes});
        parts.push_back({rest, batch_.size() - kBaseOffsetBytes});
    }
}

}  // namespace bench
