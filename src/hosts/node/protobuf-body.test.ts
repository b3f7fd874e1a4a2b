import assert from 'node:assert/strict';
import { it } from 'node:test';
import { protobufToJson } from './protobuf-body.ts';

type Field = [number, string | number | Field[]];

/** The wire form of nested fields. */
function encode(fields: readonly Field[]): Buffer {
  const varint = (value: number): Buffer => {
    const out: number[] = [];
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
    return Buffer.from([...out, rest]);
  };
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
      const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value);
      return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
    }),
  );
}

function envelope(apiVersion: string, kind: string, fields: Field[]): Uint8Array {
  return Buffer.concat([
    Buffer.from('k8s\0'),
    encode([
      [
        1,
        [
          [1, apiVersion],
          [2, kind],
        ],
      ],
      [2, fields],
    ]),
  ]);
}

it('reads maps, nested and embedded structs, times, quantities and numbers', () => {
  const pod: Field[] = [
    [
      1,
      [
        [1, 'p'],
        [8, [[1, 1_795_420_800]]],
        [
          11,
          [
            [1, 'app'],
            [2, 'web'],
          ],
        ],
      ],
    ],
    [
      2,
      [
        [
          1,
          [
            [1, 'v'],
            [2, [[2, []]]],
          ],
        ],
        [
          2,
          [
            [1, 'c'],
            [2, 'nginx'],
            [
              6,
              [
                [3, 80],
                [4, 'TCP'],
              ],
            ],
            [
              8,
              [
                [
                  1,
                  [
                    [1, 'cpu'],
                    [2, [[1, '500m']]],
                  ],
                ],
              ],
            ],
            [
              11,
              [
                [
                  1,
                  [
                    [
                      2,
                      [
                        [1, '/'],
                        [
                          2,
                          [
                            [1, 0],
                            [2, 80],
                          ],
                        ],
                      ],
                    ],
                  ],
                ],
                [2, 5],
              ],
            ],
          ],
        ],
        [4, 30],
      ],
    ],
  ];
  assert.deepEqual(JSON.parse(protobufToJson(envelope('v1', 'Pod', pod))), {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'p', creationTimestamp: '2026-11-23T08:00:00Z', labels: { app: 'web' } },
    spec: {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        {
          name: 'c',
          image: 'nginx',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: { limits: { cpu: '500m' } },
          readinessProbe: { httpGet: { path: '/', port: 80 }, initialDelaySeconds: 5 },
        },
      ],
      terminationGracePeriodSeconds: 30,
    },
  });
});

it('refuses what is no message', () => {
  assert.throws(() => protobufToJson(Buffer.from('{}')), /does not appear to be a protobuf message/);
  assert.throws(() => protobufToJson(envelope('v9', 'Nope', [])), /no kind "Nope" is registered/);
});
