{
    # `node-gyp rebuild --asan=1` builds with AddressSanitizer and UBSan; run it with libasan preloaded.
    'variables': {
        'asan%': 0,
        'librdkafka': '<!(node src/native/librdkafka.cjs root)/deps/librdkafka',
    },
    'targets': [
        {
            'target_name': 'heliostat',
            'sources': [
                'src/native/addon.cc',
                'src/native/admin.cc',
                'src/native/batch_header.cc',
                'src/native/batch_walk.cc',
                'src/native/client_handle.cc',
                'src/native/cluster.cc',
                'src/native/connections.cc',
                'src/native/crc32c_patch.cc',
                'src/native/error_rules.cc',
                'src/native/event_log.cc',
                'src/native/failure.cc',
                'src/native/fetcher.cc',
                'src/native/group.cc',
                'src/native/group_member.cc',
                'src/native/group_offsets.cc',
                'src/native/header_reader.cc',
                'src/native/js_values.cc',
                'src/native/lane.cc',
                'src/native/lane_reason.cc',
                'src/native/leaders.cc',
                'src/native/link.cc',
                'src/native/link_binding.cc',
                'src/native/link_snapshot.cc',
                'src/native/mock_cluster.cc',
                'src/native/open_handles.cc',
                'src/native/packer.cc',
                'src/native/producer_ids.cc',
                'src/native/properties.cc',
                'src/native/protocol.cc',
                'src/native/routed_lane.cc',
                'src/native/wire.c',
            ],
            'defines': [
                'NAPI_VERSION=9',
                'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
                'NODE_ADDON_API_DISABLE_DEPRECATED',
                # A worker that is being terminated can take no exception: without this it would abort.
                'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
                'HELIOSTAT_WITH_SSL=<!(node src/native/librdkafka.cjs ssl)',
            ],
            'cflags': [
                '-Wall',
                '-Wextra',
                '-Wunused-parameter',
                '-Werror',
                '-fvisibility=hidden',
                '-isystem<!(node -p "path.resolve(require(\'node-addon-api\').include_dir)")',
                '-isystem<(librdkafka)/src',
                '-isystem<(librdkafka)',
            ],
            'cflags_c': ['-std=gnu11'],
            'cflags_cc!': ['-std=gnu++17'],
            'cflags_cc': ['-std=gnu++20', '-fno-exceptions', '-fvisibility-inlines-hidden'],
            'configurations': {
                'Release': {
                    'cflags!': ['-O3'],
                    'cflags': ['-O2', '-g'],
                },
            },
            'ldflags': [
                '-Wl,--exclude-libs,ALL',
                '-Wl,-Bsymbolic',
                '-Wl,--version-script=<(module_root_dir)/addon.map',
                # librdkafka's threads may still run when the last environment lets go of the addon.
                '-Wl,-z,nodelete',
            ],
            'libraries': ['<!@(node src/native/librdkafka.cjs libs)'],
            'conditions': [
                [
                    'asan==1',
                    {
                        'cflags': ['-fsanitize=undefined', '-fno-omit-frame-pointer'],
                        'ldflags': ['-fsanitize=address,undefined'],
                    },
                ],
            ],
        },
    ],
}
