// java.net.http.HttpClient as it comes; with the argument "timeout", with a timeout for each request.
//
//     qubs-mock run --scenario flaky-network -- java examples/libraries/JavaHttpClient.java

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.UUID;

public class JavaHttpClient {
    static final HttpClient client = HttpClient.newHttpClient();
    static boolean hasTimeout;

    static String send(HttpRequest.Builder request) {
        if (hasTimeout) {
            request.timeout(Duration.ofSeconds(5));
        }
        try {
            HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return response.body();
        } catch (Exception error) {
            System.err.println(error);
            return "";
        }
    }

    static HttpRequest.Builder request(String url) {
        return HttpRequest.newBuilder(URI.create(url));
    }

    public static void main(String[] arguments) {
        hasTimeout = arguments.length > 0;
        String api = System.getenv("QUBS_BASE_URL") + "/integrations/v1/" + System.getenv("QUBS_DOMAIN");
        String form = "grant_type=client_credentials&client_id="
            + URLEncoder.encode(System.getenv("QUBS_CLIENT_ID"), StandardCharsets.UTF_8)
            + "&client_secret=" + URLEncoder.encode(System.getenv("QUBS_CLIENT_SECRET"), StandardCharsets.UTF_8);
        String answer = send(request(System.getenv("QUBS_TOKEN_URL"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form)));
        String token = answer.replaceAll(".*\"access_token\":\"([^\"]*)\".*", "$1");
        if (token.isEmpty() || token.contains("{")) {
            token = "none";
        }
        List<String> paths = List.of(
            "sites", "sites/Central%20Clinic/exam-codes", "reporting/appointments/pending?pageSize=100",
            "reporting/appointments/A123456",
            "appointments?take=100&startDate=" + LocalDate.now().minusDays(7) + "&endDate="
                + LocalDate.now().plusDays(7),
            "appointments/A123456",
            "appointments/operational/by-id/A123456");
        for (String path : paths) {
            send(request(api + "/" + path).header("Authorization", "Bearer " + token)
                .header("X-Correlation-Id", UUID.randomUUID().toString()));
        }
        send(request(api + "/reporting/appointments/A123456/comments")
            .header("Authorization", "Bearer " + token)
            .header("X-Correlation-Id", UUID.randomUUID().toString())
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"commentText\":\"Images received.\"}")));
    }
}
