import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The same morning's work for every Java stack: only how the calls are made is the stack's own.
 *
 * <p>No stack by itself: the other files call {@link #run}.
 */
final class Work {
    static final String API = System.getenv("QUBS_BASE_URL") + "/integrations/v1/" + System.getenv("QUBS_DOMAIN");
    static final Set<Integer> TRANSIENT = Set.of(429, 500, 502, 503, 504);
    static final int ATTEMPTS = 6;
    static final byte[] PDF =
            ("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                            + "2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n")
                    .getBytes(StandardCharsets.US_ASCII);
    static boolean right;

    /** Fields by name, null for those that are not there. */
    record Answer(int status, Function<String, String> fields, String content) {}

    /** One call. The content is null where there is none. */
    interface Send {
        Answer send(String method, String url, Map<String, String> fields, byte[] content)
                throws IOException, InterruptedException;
    }

    private interface Action {
        void run() throws IOException, InterruptedException;
    }

    /** How long to wait behind an attempt (0, 1, ...): as told, else doubling with jitter. */
    static Duration pause(int attempt, Function<String, String> fields) {
        String told = fields.apply("Retry-After");
        if (told == null) {
            return Duration.ofMillis((long) (200 * (1 << attempt) * ThreadLocalRandom.current().nextDouble(0.75, 1.25)));
        }
        if (told.chars().allMatch(Character::isDigit)) {
            return Duration.ofSeconds(Long.parseLong(told));
        }
        ZonedDateTime until = ZonedDateTime.parse(told, DateTimeFormatter.RFC_1123_DATE_TIME);
        ZonedDateTime now = ZonedDateTime.parse(fields.apply("Date"), DateTimeFormatter.RFC_1123_DATE_TIME);
        Duration left = Duration.between(now, until);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** Repeats what may pass by itself. */
    static Send persist(Send once) {
        return (method, url, fields, content) -> {
            for (int attempt = 0; ; attempt++) {
                Function<String, String> received = name -> null;
                try {
                    Answer answer = once.send(method, url, fields, content);
                    if (!TRANSIENT.contains(answer.status()) || attempt == ATTEMPTS - 1) {
                        return answer;
                    }
                    received = answer.fields();
                } catch (IOException error) {
                    if (attempt == ATTEMPTS - 1) {
                        throw error;
                    }
                }
                Thread.sleep(pause(attempt, received).toMillis());
            }
        };
    }

    /** Does the work and exits: 0 when all of it is done, else 1. */
    static void run(Send send, Send put) throws InterruptedException {
        new Work(send, put).work();
    }

    private final Send send;
    private final Send put;
    private String token;
    private boolean unfinished;

    private Work(Send send, Send put) {
        this.send = send;
        this.put = put;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** A member whose value is text, or null. A regular expression, to need no JSON library. */
    private static String member(String name, String json) {
        // White space and escapes may stand anywhere: where a library is at hand, leave that to it.
        String space = right ? "\\s*" : "";
        var matcher = Pattern.compile('"' + name + '"' + space + ':' + space + "\"((?:[^\"\\\\]|\\\\.)*)\"")
                .matcher(right ? unescaped(json) : json);
        return matcher.find() ? matcher.group(1).replace("\\/", "/").replace("\\u0026", "&") : null;
    }

    /** The same JSON with ASCII characters as they are, but quotes and backslashes. */
    private static String unescaped(String json) {
        return Pattern.compile("\\\\\\\\|\\\\u00([2-7][0-9a-f])").matcher(json).replaceAll(match -> {
            String octet = match.group(1);
            boolean stays = octet == null || octet.equals("22") || octet.equals("5c");
            return Matcher.quoteReplacement(stays ? match.group() : "" + (char) Integer.parseInt(octet, 16));
        });
    }

    private void getToken() throws IOException, InterruptedException {
        String form = "grant_type=client_credentials&client_id=" + encode(System.getenv("QUBS_CLIENT_ID"))
                + "&client_secret=" + encode(System.getenv("QUBS_CLIENT_SECRET"));
        Answer answer = send.send("POST", System.getenv("QUBS_TOKEN_URL"),
                Map.of("Content-Type", "application/x-www-form-urlencoded"), form.getBytes(StandardCharsets.US_ASCII));
        if (answer.status() != 200) {
            throw new IOException("status " + answer.status());
        }
        token = member("access_token", answer.content());
    }

    private String call(String method, String path, String body) throws IOException, InterruptedException {
        // The key and the octets are made once: whoever repeats the request cannot change them.
        byte[] content = body == null ? null : body.getBytes(StandardCharsets.UTF_8);
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("Accept", "application/json");
        fields.put("X-Correlation-Id", UUID.randomUUID().toString());
        if (body != null) {
            fields.put("Content-Type", "application/json");
            fields.put("Idempotency-Key", UUID.randomUUID().toString());
        }
        fields.put("Authorization", "Bearer " + token);
        Answer answer = send.send(method, API + "/" + path, fields, content);
        if (answer.status() == 401 && right) {
            getToken();
            fields.put("Authorization", "Bearer " + token);
            answer = send.send(method, API + "/" + path, fields, content);
        }
        if (answer.status() != 200 && answer.status() != 201) {
            throw new IOException("status " + answer.status());
        }
        return answer.content();
    }

    private void readPages() throws IOException, InterruptedException {
        String following = "";
        while (following != null) {
            String page = call("GET", "reporting/appointments/pending?pageSize=25" + following, null);
            String next = member("nextToken", page);
            // The documentation says "empty or omitted": many know one of the two alone.
            following = next == null || right && next.isEmpty() ? null : "&nextToken=" + encode(next);
        }
    }

    private void upload() throws IOException, InterruptedException {
        String items = "{\"items\":[{\"fileName\":\"report.pdf\",\"contentType\":\"application/pdf\"}]}";
        for (int attempt = 0; attempt < (right ? ATTEMPTS : 1); attempt++) {
            // A new URL, with a new key, each time: no file is put twice to the same one.
            String urls = call("POST", "reporting/appointments/A123456/report/attachments", items);
            try {
                Answer answer = put.send("PUT", member("uploadUrl", urls), Map.of("Content-Type", "application/pdf"), PDF);
                if (answer.status() == 200) {
                    return;
                }
            } catch (IOException error) {
                if (!right) {
                    throw error;
                }
            }
            if (right) {
                Thread.sleep(pause(attempt, name -> null).toMillis());
            }
        }
        throw new IOException("the file was not stored");
    }

    /** Takes a step; what fails for good is told and passed over, as a nightly job would. */
    private boolean step(String name, Action action) throws InterruptedException {
        try {
            action.run();
            return true;
        } catch (IOException error) {
            System.err.println(name + ": " + error);
            unfinished = true;
            return false;
        }
    }

    private void work() throws InterruptedException {
        if (step("token", this::getToken)) {
            String list = "appointments?startDate=" + LocalDate.now().minusDays(7)
                    + "&endDate=" + LocalDate.now().plusDays(7) + "&skip=0&take=100";
            step("sites", () -> call("GET", "sites", null));
            step("exam codes", () -> call("GET", "sites/Central%20Clinic/exam-codes", null));
            step("pending", this::readPages);
            step("appointments", () -> call("GET", list, null));
            for (String path : new String[] {"reporting/appointments/A123456", "appointments/A123456",
                    "appointments/operational/by-id/A123456"}) {
                step(path, () -> call("GET", path, null));
            }
            step("comment", () -> call("POST", "reporting/appointments/A123456/comments",
                    "{\"commentText\":\"Images received.\"}"));
            if (step("upload", this::upload)) {
                step("report", () -> call("POST", "reporting/appointments/A123456/report",
                        "{\"reportText\":\"No acute abnormality detected.\",\"reportStatus\":\"final\"}"));
            }
        }
        System.exit(unfinished ? 1 : 0);
    }
}
