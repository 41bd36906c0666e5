// Testcontainers for Java with JUnit 5: org.testcontainers:junit-jupiter.
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

@Testcontainers
class MockTest {
    @Container
    static final GenericContainer<?> MOCK = new GenericContainer<>("registry.example/qubs-mock:0.2.0")
        .withEnv("QUBS_MOCK_ADMIN_TOKEN", "a-token-of-this-test")
        .withExposedPorts(8080)
        .waitingFor(Wait.forHttp("/__admin/ready"));

    static String baseURL() {
        return "http://" + MOCK.getHost() + ":" + MOCK.getMappedPort(8080);
    }

    @Test
    void tokenIsGranted() throws Exception {
        // A session of its own for each test: acme-partner+NAME.
        var form = "grant_type=client_credentials&client_id=acme-partner%2Bjava"
            + "&client_secret=acme-partner-secret";
        var request = HttpRequest.newBuilder(URI.create(baseURL() + "/oauth2/token"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form))
            .build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode());
    }
}
