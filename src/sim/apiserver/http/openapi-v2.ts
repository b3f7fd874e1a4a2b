type Json = Record<string, unknown>;

const encoder = new TextEncoder();

/** A protobuf message under construction. */
class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  #varint(value: number): void {
    const out: number[] = [];
    let rest = value;
    while (rest >= 0x80) {
      out.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    out.push(rest);
    this.#push(Uint8Array.from(out));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#push(value);
    return this;
  }

  text(field: number, value: unknown): this {
    return value === undefined ? this : this.bytes(field, encoder.encode(String(value)));
  }

  message(field: number, value: Message | undefined): this {
    return value ? this.bytes(field, value.finish()) : this;
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

/** gnostic's `Any`: YAML text in field 2. JSON is YAML. */
function any(value: unknown): Message {
  return new Message().text(2, `${JSON.stringify(value)}\n`);
}

/** `NamedAny` entries for `x-…` members. */
function extensions(message: Message, field: number, source: Json): void {
  for (const [name, value] of Object.entries(source)) if (name.startsWith('x-')) message.message(field, new Message().text(1, name).message(2, any(value)));
}

/** gnostic openapi.v2 `Schema`. */
function schema(source: Json): Message {
  const out = new Message();
  out.text(1, source.$ref).text(2, source.format).text(3, source.title).text(4, source.description);
  if (source.default !== undefined) out.message(5, any(source.default));
  for (const name of (source.required as string[] | undefined) ?? []) out.text(19, name);
  for (const value of (source.enum as unknown[] | undefined) ?? []) out.message(20, any(value));
  // AdditionalPropertiesItem: schema = 1.
  if (typeof source.additionalProperties === 'object') out.message(21, new Message().message(1, schema(source.additionalProperties as Json)));
  if (source.type) out.message(22, new Message().text(1, source.type));
  if (source.items) out.message(23, new Message().message(1, schema(source.items as Json)));
  const properties = new Message();
  const entries = Object.entries((source.properties as Record<string, Json> | undefined) ?? {});
  for (const [name, property] of entries) properties.message(1, new Message().text(1, name).message(2, schema(property)));
  for (const part of (source.allOf as Json[] | undefined) ?? []) out.message(24, schema(part));
  if (entries.length > 0) out.message(25, properties);
  extensions(out, 31, source);
  return out;
}

/** `ParametersItem` → `Parameter` → `NonBodyParameter` → `QueryParameterSubSchema`. */
function parameter(source: Json): Message {
  const query = new Message().text(2, source.in).text(4, source.name).text(6, source.type);
  return new Message().message(1, new Message().message(2, new Message().message(3, query)));
}

function operation(source: Json): Message {
  const out = new Message().text(5, source.operationId);
  for (const item of (source.parameters as Json[] | undefined) ?? []) out.message(8, parameter(item));
  const responses = new Message();
  for (const [code, response] of Object.entries((source.responses as Record<string, Json> | undefined) ?? {})) {
    const value = new Message().message(1, new Message().text(1, response.description));
    responses.message(1, new Message().text(1, code).message(2, value));
  }
  out.message(9, responses);
  extensions(out, 13, source);
  return out;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

/** The Swagger document as gnostic's protobuf, which client-go's discovery asks for. */
export function encodeOpenApiV2(swagger: Json): Uint8Array {
  const info = swagger.info as Json;
  const out = new Message().text(1, swagger.swagger).message(2, new Message().text(1, info.title).text(2, info.version));
  const paths = new Message();
  for (const [path, methods] of Object.entries(swagger.paths as Record<string, Json>)) {
    const item = new Message();
    for (const [i, method] of METHODS.entries()) if (methods[method]) item.message(2 + i, operation(methods[method] as Json));
    paths.message(2, new Message().text(1, path).message(2, item));
  }
  out.message(8, paths);
  const definitions = new Message();
  for (const [name, definition] of Object.entries(swagger.definitions as Record<string, Json>))
    definitions.message(1, new Message().text(1, name).message(2, schema(definition)));
  out.message(9, definitions);
  return out.finish();
}
