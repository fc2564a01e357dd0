-- Schema `regress`: what the tests look at emitted messages with. sql/setup.sql reads this file.
--
-- A session cannot read its own notifications in SQL, so a test that computes with them lets psql write them to a file
-- (\o), takes that into a variable and hands it to the functions here.
CREATE SCHEMA regress;

-- The notifications in psql's output, in order.
CREATE FUNCTION regress.notifications(psql_output text)
RETURNS TABLE (n bigint, channel text, payload text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT row_number() OVER (ORDER BY i), left(line, split - 1),
		regexp_replace(substr(line, split + length('" with payload "')), '" received from server process with PID \d+\.$', '')
	FROM string_to_table(psql_output, E'\n') WITH ORDINALITY AS output(text, i)
		CROSS JOIN LATERAL (SELECT substr(text, length('Asynchronous notification "') + 1)) AS behind_head(line)
		CROSS JOIN LATERAL (SELECT position('" with payload "' IN line)) AS border(split)
	WHERE text LIKE 'Asynchronous notification "%'
$$;

-- Decode the msgpack value that starts at byte `at`, and move `at` behind it. What JSON cannot express becomes an object:
-- {"Buffer": "<hex>"} for binary, {"float64": "Infinity"} and the like for numbers.
CREATE FUNCTION regress.msgpack_value(bytes bytea, INOUT at int, OUT value jsonb)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	tag int := get_byte(bytes, at);
	kind text;
	size bigint;  -- of the length or the number behind the tag, then the length itself
	key jsonb;
	element jsonb;
	keys text[] := '{}';
	elements jsonb[] := '{}';
BEGIN
	at := at + 1;
	CASE
		WHEN tag <= 127 THEN value := to_jsonb(tag);
		WHEN tag <= 143 THEN kind := 'map'; size := tag - 128;
		WHEN tag <= 159 THEN kind := 'array'; size := tag - 144;
		WHEN tag <= 191 THEN kind := 'str'; size := tag - 160;
		WHEN tag = 192 THEN value := 'null';
		WHEN tag = 194 THEN value := 'false';
		WHEN tag = 195 THEN value := 'true';
		WHEN tag >= 224 THEN value := to_jsonb(tag - 256);
		WHEN tag BETWEEN 196 AND 198 THEN kind := 'bin'; size := 1 << (tag - 196);
		WHEN tag = 203 THEN
			value := regress.float64(regress.big_endian(bytes, at, 8));
			at := at + 8;
		WHEN tag BETWEEN 204 AND 207 THEN
			size := 1 << (tag - 204);
			value := to_jsonb(regress.big_endian(bytes, at, size::int));
			at := at + size;
		WHEN tag BETWEEN 208 AND 211 THEN
			size := 1 << (tag - 208);
			value := to_jsonb(regress.as_signed(regress.big_endian(bytes, at, size::int), size::int));
			at := at + size;
		WHEN tag BETWEEN 217 AND 219 THEN kind := 'str'; size := 1 << (tag - 217);
		WHEN tag BETWEEN 220 AND 221 THEN kind := 'array'; size := 2 << (tag - 220);
		WHEN tag BETWEEN 222 AND 223 THEN kind := 'map'; size := 2 << (tag - 222);
		ELSE RAISE 'msgpack tag % at byte %', tag, at - 1;
	END CASE;

	IF tag BETWEEN 196 AND 198 OR tag BETWEEN 217 AND 223 THEN
		at := at + size;
		size := regress.big_endian(bytes, at - size::int, size::int);
	END IF;

	CASE kind
		WHEN 'str' THEN
			value := to_jsonb(convert_from(substr(bytes, at + 1, size::int), 'UTF8'));
			at := at + size;
		WHEN 'bin' THEN
			value := jsonb_build_object('Buffer', encode(substr(bytes, at + 1, size::int), 'hex'));
			at := at + size;
		WHEN 'array' THEN
			FOR i IN 1 .. size LOOP
				SELECT * INTO at, element FROM regress.msgpack_value(bytes, at);
				elements[i] := element;
			END LOOP;
			value := to_jsonb(elements);
		WHEN 'map' THEN
			FOR i IN 1 .. size LOOP
				SELECT * INTO at, key FROM regress.msgpack_value(bytes, at);
				SELECT * INTO at, element FROM regress.msgpack_value(bytes, at);
				keys[i] := key #>> '{}';
				elements[i] := element;
			END LOOP;
			SELECT coalesce(jsonb_object_agg(k, v ORDER BY i), '{}') INTO value
			FROM unnest(keys, elements) WITH ORDINALITY AS pairs(k, v, i);
		ELSE NULL;
	END CASE;
END
$$;

CREATE FUNCTION regress.big_endian(bytes bytea, at int, size int) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
	SELECT trim_scale(sum(get_byte(bytes, at + i) * 256::numeric ^ (size - 1 - i))) FROM generate_series(0, size - 1) AS i
$$;

CREATE FUNCTION regress.as_signed(number numeric, size int) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
	SELECT trim_scale(CASE WHEN number >= 256::numeric ^ size / 2 THEN number - 256::numeric ^ size ELSE number END)
$$;

-- The number that 64 bits mean as an IEEE 754 double.
CREATE FUNCTION regress.float64(bits numeric) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	sign float8 := CASE WHEN bits >= 2::numeric ^ 63 THEN -1 ELSE 1 END;
	exponent int := div(bits, 2::numeric ^ 52) % 2048;
	fraction numeric := bits % 2::numeric ^ 52;
BEGIN
	RETURN CASE
		WHEN exponent = 2047 AND fraction > 0 THEN '{"float64": "NaN"}'
		WHEN exponent = 2047 AND sign > 0 THEN '{"float64": "Infinity"}'
		WHEN exponent = 2047 THEN '{"float64": "-Infinity"}'
		WHEN exponent = 0 THEN to_jsonb(sign * (fraction::float8 * 2::float8 ^ -1074))
		ELSE to_jsonb(sign * ((fraction + 2::numeric ^ 52)::float8 * 2::float8 ^ (exponent - 1075)))
	END;
END
$$;

-- Decode a msgpack document, which must end where the bytes do.
CREATE FUNCTION regress.msgpack(bytes bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	unpacked bytea := bytes || ''::bytea;  -- or each look at a byte would fetch all of them from where they are stored
	at int := 0;
	document jsonb;
BEGIN
	SELECT * INTO at, document FROM regress.msgpack_value(unpacked, at);
	IF at <> length(bytes) THEN
		RAISE 'msgpack document of % bytes ends at byte %', length(bytes), at;
	END IF;
	RETURN document;
END
$$;

-- The notifications in psql's output, each as the message a server makes of it: from the attachment if it names one.
CREATE FUNCTION regress.messages(psql_output text)
RETURNS TABLE (n bigint, channel text, path text, bytes int, message jsonb)
LANGUAGE sql STABLE AS $$
	SELECT n, channel,
		CASE WHEN attachment_id IS NULL THEN 'notification' ELSE 'attachment' END,
		CASE WHEN attachment_id IS NULL THEN octet_length(notification.payload) END,
		CASE WHEN attachment_id IS NULL THEN notification.payload::jsonb ELSE regress.msgpack(attachment.payload) END
	FROM regress.notifications(psql_output) AS notification
		CROSS JOIN LATERAL (SELECT (notification.payload::jsonb ->> 'attachmentId')::bigint) AS header(attachment_id)
		LEFT JOIN public.socket_io_attachments AS attachment ON attachment.id = attachment_id
$$;

-- Values that were emitted, in order, as to_jsonb() has them.
CREATE TABLE regress.expected (n bigint GENERATED ALWAYS AS IDENTITY, value jsonb NOT NULL);

CREATE FUNCTION regress.expect(value jsonb) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO regress.expected (value) VALUES (coalesce(value, 'null'))
$$;

CREATE FUNCTION regress.exact_jsonb(anyelement) RETURNS jsonb
LANGUAGE sql SET extra_float_digits = 1 AS $$
	SELECT to_jsonb($1)
$$;

-- A number as JavaScript has it, which is a double.
CREATE FUNCTION regress.javascript_number(number numeric) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN to_jsonb(number::float8);
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN CASE
		WHEN abs(number) < 1 THEN '0'
		WHEN number > 0 THEN '{"float64": "Infinity"}'
		ELSE '{"float64": "-Infinity"}'
	END;
END
$$;

-- The same value with its numbers as JavaScript has them.
CREATE FUNCTION regress.javascript(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE jsonb_typeof(value)
		WHEN 'number' THEN regress.javascript_number(value::numeric)
		WHEN 'array' THEN (
			SELECT coalesce(jsonb_agg(regress.javascript(element) ORDER BY i), '[]')
			FROM jsonb_array_elements(value) WITH ORDINALITY AS a(element, i))
		WHEN 'object' THEN (
			SELECT coalesce(jsonb_object_agg(key, regress.javascript(element)), '{}')
			FROM jsonb_each(value) AS o(key, element))
		ELSE value
	END
$$;
