#include "properties.h"

#include <array>
#include <utility>

Outcome<ConfPtr> MakeConf(const Properties& properties) {
    ConfPtr conf(rd_kafka_conf_new());
    for (const auto& [name, value] : properties) {
        std::array<char, 512> text{};
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) !=
            RD_KAFKA_CONF_OK) {
            return FailureOf(RD_KAFKA_RESP_ERR__INVALID_ARG, text.data());
        }
    }
    return conf;
}
